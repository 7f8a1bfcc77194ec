"""Plans that need the whole laboratory, bound to one: the others take their instruments as arguments."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from bluesky.utils import MsgGenerator

from .. import plans
from ..plans.plan import plan
from .record.recorded import recorded


def bound(journal: Path, bench: Any) -> tuple[Callable, Callable]:
    """Return the plans ``resume`` and ``set_up`` of a laboratory.

    Args:
        journal: Folder of its journals.
        bench: Its instruments as attributes.
    """

    @plan
    def resume(uid: str, md: dict[str, Any] | None = None) -> MsgGenerator[str]:
        """Measure what a run lacks that ended too early, linked to it and fitted together with it.

        Args:
            uid: Of the run, or its first characters.
            md: Metadata for the run.
        """
        return (yield from plans.resume(recorded(journal, uid), bench, md))

    @plan
    def set_up(settings: dict[str, float | int | str]) -> MsgGenerator[None]:
        """Put settings of the bench, all at once, and wait until every one holds.

        Args:
            settings: Value by attribute, such as {"rf.frequency": 1.2, "laser.shutter": "Open"}.
        """
        yield from plans.set_up(bench, settings)

    return resume, set_up
