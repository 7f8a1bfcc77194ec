"""Plans as the queue's clients see them: every argument with its words and its unit."""

import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any

from bluesky_queueserver import parameter_annotation_decorator
from bluesky_queueserver.manager.profile_ops import is_plan

ARGUMENT = re.compile(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", re.MULTILINE)


def described_all(namespace: Mapping[str, Any]) -> dict[str, Callable]:
    """Return every plan of a namespace with its arguments described."""
    return {
        name: described(thing)
        for name, thing in namespace.items()
        if not name.startswith("_") and is_plan(thing)
    }


def described(plan: Callable) -> Callable:
    """Return a plan whose arguments are described as its docstring does."""
    words = {name: {"description": text} for name, text in arguments(plan).items()}
    return parameter_annotation_decorator({"parameters": words})(plan)


def arguments(plan: Callable) -> dict[str, str]:
    """Return what the docstring of a plan says about each argument, in one line."""
    documented = inspect.getdoc(plan) or ""
    _, _, after = documented.partition("\nArgs:\n")
    part = re.split(r"\n\n", after, maxsplit=1)[0]
    found = {name: " ".join(text.split()) for name, text in ARGUMENT.findall(part)}
    return {name: found[name] for name in inspect.signature(plan).parameters if name in found}
