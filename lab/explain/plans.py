"""The page of plans, out of their docstrings: ``python -m odmrlab.lab.explain.plans``."""

import re
from collections.abc import Callable
from inspect import (
    Parameter,
    formatannotation,
    getdoc,
    signature,
)

from ... import plans

HEAD = """\
# Plans

Written by `python -m odmrlab.lab.explain.plans` from the docstrings that `odmr?` shows. They are run by `RE(odmr(lockin, magnet, 20, 65))`,
or queued. What a plan cannot do is refused before it moves anything. `resume` has [a page of its own](../how-to/recover.md).
"""
PLANS = [
    plan
    for plan in (getattr(plans, name) for name in plans.__all__ if name != "resume")
    if getattr(plan, "_is_plan_", False)  # the decorator's mark
]
SECTION = re.compile(r"^(Args|Returns|Raises|Yields):$", re.MULTILINE)
ENTRY = re.compile(r"^    (\w+): (.*(?:\n {6,}.*)*)", re.MULTILINE)


def table() -> str:
    """Return the page."""
    return "\n".join([HEAD, *map(section, PLANS)])


def section(plan: Callable) -> str:
    """Return what stands about one plan: purpose, arguments, result, refusals."""
    purpose, parts = sections(getdoc(plan) or "")
    lines = [f"## {plan.__name__}", "", purpose, ""]
    lines += ["| argument | kind | default | |", "|---|---|---|---|"]
    told = dict(ENTRY.findall(parts.get("Args", "")))
    for item in signature(plan).parameters.values():
        default = "" if item.default is Parameter.empty else f"`{item.default!r}`"
        lines.append(
            f"| `{item.name}` | {kind(item.annotation)} | {default} | {one_line(told[item.name])} |"
        )
    if returned := parts.get("Returns"):
        lines += ["", f"Returns: {one_line(returned)}"]
    if refused := ENTRY.findall(parts.get("Raises", "")):
        lines += ["", *(f"- `{error}`: {one_line(when)}" for error, when in refused)]
    return "\n".join([*lines, ""])


def kind(annotation: object) -> str:
    """Return an annotation without the modules that its names are of."""
    return re.sub(r"\b[a-z_.]+\.(?=[A-Z])", "", one_line(formatannotation(annotation)))


def sections(text: str) -> tuple[str, dict[str, str]]:
    """Return the text before the sections of a docstring, and the sections by their names."""
    purpose, *rest = SECTION.split(text)
    return purpose.strip(), dict(zip(rest[::2], rest[1::2], strict=True))


def one_line(text: str) -> str:
    """Return a text without its line breaks."""
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    print(table(), end="")
