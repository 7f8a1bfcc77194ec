"""A line about every plan."""

from collections.abc import Callable, Iterable
from inspect import Parameter, getdoc, signature

from rich.table import Table


def listing(plans: Iterable[Callable]) -> Table:
    """Return the plans with what a call takes at least, and what each is for."""
    table = Table("plan", "for", box=None)
    for plan in plans:
        table.add_row(call(plan), purpose(plan))
    return table


def call(plan: Callable) -> str:
    """Return a call with the arguments that have no default: ``odmr(lockin, magnet, ...)``."""
    parameters = signature(plan).parameters.values()
    needed = [item.name for item in parameters if item.default is Parameter.empty]
    return f"{plan.__name__}({', '.join(needed)}{', ...' if len(needed) < len(parameters) else ''})"


def purpose(plan: Callable) -> str:
    """Return the first line of a plan's help."""
    return (getdoc(plan) or "").partition("\n")[0]
