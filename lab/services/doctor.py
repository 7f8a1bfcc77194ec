"""What can be wrong with a laboratory: one small function for each, kept in a list.

A check yields a sentence for each thing that it finds wrong: who, what came, what is needed. Its
docstring is its name. Those that would make a start fail are run by ``odmrlab up``, too.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from ..settings import Settings
from .laboratory import Laboratory

Look = Callable[[Settings, Laboratory], Iterable[str]]


@dataclass(frozen=True)
class Check:
    """One thing that can be wrong.

    Attributes:
        name: What is looked at.
        look: Yields what is wrong.
        when: ``start``, also before a start; ``any``, whether the laboratory is up or not; ``up``.
        note: Whether what it finds is worth knowing, and no fault.
    """

    name: str
    look: Look
    when: str
    note: bool


CHECKS: list[Check] = []


def check(when: str, note: bool = False) -> Callable[[Look], Look]:
    """Put a function onto the list."""

    def listed(look: Look) -> Look:
        name = (look.__doc__ or "").splitlines()[0].rstrip(".")
        CHECKS.append(Check(name, look, when, note))
        return look

    return listed


def examine(
    settings: Settings, laboratory: Laboratory, is_up: bool
) -> Iterator[tuple[Check, list[str]]]:
    """Yield every check that applies, with what it has found."""
    load()
    for item in CHECKS:
        if is_up or item.when != "up":
            yield item, list(item.look(settings, laboratory))


def hindrances(settings: Settings, laboratory: Laboratory) -> list[str]:
    """Return what would make a start fail, before anything is started."""
    load()
    checks = (item for item in CHECKS if item.when == "start")
    return [wrong for item in checks for wrong in item.look(settings, laboratory)]


def load() -> None:
    """Have every check put itself onto the list; their modules import this one."""
    from . import checks_of_files, checks_of_services  # noqa: F401
