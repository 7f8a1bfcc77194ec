"""The mark of a plan."""

from collections.abc import Callable
from functools import wraps
from inspect import Signature, signature

import bluesky.utils
from bluesky.utils import MsgGenerator


def plan(function: Callable[..., MsgGenerator]) -> Callable[..., MsgGenerator]:
    """Mark a plan as `bluesky.utils.plan` does, and refuse arguments that it does not have.

    A `bluesky.utils.Plan` that is given those complains of itself, in two tracebacks.
    """
    marked, takes = bluesky.utils.plan(function), signature(function)

    @wraps(marked)
    def called(*args, **kwargs) -> MsgGenerator:
        try:
            takes.bind(*args, **kwargs)
        except TypeError as error:
            name = function.__name__
            raise TypeError(f"{name}: {error}; needs {name}{brief(takes)}") from None
        return marked(*args, **kwargs)

    return called


def brief(takes: Signature) -> str:
    """Return names and defaults of arguments, without their kinds."""
    names = [one.replace(annotation=one.empty) for one in takes.parameters.values()]
    return str(Signature(names))
