"""One session at the laboratory: the RunEngine, the instruments, and the road of their documents."""

import atexit
import fcntl
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, fields
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import bluesky.preprocessors as bpp
from bluesky.utils import Msg, MsgGenerator

from ..analysis.models import check_name
from ..devices import Cryostat, Laser, Lease, Lockin, Magnet, Rf, wait_for_all
from ..plans import AS_IT_IS, INTERLOCKS, SAFE, Guard, Interlock, left_safe
from .keeping import KeepingEngine
from .record.journal import Journal
from .record.road import Road
from .settings import Settings

UNSAID = ("Run aborted", "No open traces left to close!")
RECORDED = ("odmrlab", "bluesky", "ophyd", "caproto", "event-model")


@dataclass(frozen=True)
class Instruments:
    """The five instruments, each under its name."""

    magnet: Magnet
    rf: Rf
    laser: Laser
    cryostat: Cryostat
    lockin: Lockin

    def __iter__(self):
        return (getattr(self, field.name) for field in fields(self))


def made(prefix: str) -> Instruments:
    """Return the instruments behind a prefix, whether they answer or not."""
    kinds = {field.name: field.type for field in fields(Instruments)}
    return Instruments(
        **{name: kind(f"{prefix}{name.capitalize()}:", name=name) for name, kind in kinds.items()}
    )


def connect(prefix: str, timeout: float = 4.0) -> Instruments:
    """Return the instruments behind a prefix, every PV answering.

    Args:
        prefix: Of every PV.
        timeout: For all of them to answer [s].

    Raises:
        NotConnectedError: After that time, naming the PVs that do not answer.
    """
    instruments = made(prefix)
    wait_for_all(instruments, timeout)
    return instruments


class Session:
    """A RunEngine whose documents are kept in the journal before anything else sees them.

    As long as it is open, no other client moves the instruments; when its process dies, they go
    safe by themselves.

    Args:
        settings: Of this laboratory.
        instruments: Recorded in the baseline of every run.
        consumers: Called with every document, fits included, off the RunEngine's thread.
        md: Goes into every start document, such as ``sample`` and ``purpose``.
        after_failure: How a plan leaves the instruments that did not come to its end.
        after_success: How one does that did.
        interlocks: Under which every plan runs; none to run without.
        attended: Whether somebody is there to resume a plan that Ctrl-C has paused.

    Raises:
        OwnedError: When another session has the instruments, naming it.
        NotConnectedError: When one of them is lost.
    """

    def __init__(
        self,
        settings: Settings,
        instruments: Instruments,
        *consumers: Callable[[str, dict], Any],
        md: dict[str, Any] | None = None,
        after_failure: Mapping[str, Any] = SAFE,
        after_success: Mapping[str, Any] = AS_IT_IS,
        interlocks: Sequence[Interlock] = INTERLOCKS,
        attended: bool = True,
    ):
        self.settings, self.instruments = settings, instruments
        self.lease = Lease(instruments)
        bench = {instrument.name: instrument for instrument in instruments}
        with ExitStack() as undo:
            undo.callback(self.lease.close)
            self.guard = Guard(bench, interlocks, settings.patience, self.lease.renew)
            self.guard.watch.remember(self.lease.owners)
            undo.pop_all()  # nothing was lost meanwhile
        self.journal = Journal(settings.journal, settings.journal_fsync, settings.journal_room)
        self.road = Road(self.journal, *consumers)
        versions = {name.replace("-", "_"): version(name) for name in RECORDED}
        counter = settings.home / "scan_id"
        self.RE = KeepingEngine(
            self.road,
            {"versions": versions} | (md or {}),
            attended=attended,
            call_returns_result=True,
            scan_id_source=lambda _: next_scan_id(counter),
        )
        logging.getLogger("bluesky").addFilter(not_twice)
        self.RE.preprocessors += [
            with_known_fits,
            bpp.SupplementalData(baseline=list(instruments)),
            self.guard,
            partial(
                left_safe,
                bench=instruments,
                after_failure=after_failure,
                after_success=after_success,
            ),
        ]
        atexit.register(self.close)

    def close(self) -> None:
        """Abort a plan that is paused, give the instruments back, and close the journal.

        Every document is delivered to whoever takes it, in bounded time; Ctrl-C changes nothing
        meanwhile.
        """
        atexit.unregister(self.close)
        # from the last line to the first, whatever fails
        with self.RE.uninterrupted(), ExitStack() as stack:
            stack.callback(self.RE.close)
            stack.callback(self.journal.close)
            stack.callback(self.road.close)
            stack.callback(self.lease.close)
            stack.callback(self.guard.close)
            stack.callback(self.RE.end, "its session was closed")


def with_known_fits(plan: MsgGenerator) -> MsgGenerator:
    """Run a plan; a run that nothing could fit as it asks for fails before it is measured."""

    def check(message: Msg) -> Msg:
        if message.command == "open_run":
            series = message.kwargs.get("series")
            asked = [series.get("model")] if isinstance(series, dict) else []
            for model in (message.kwargs.get("fit"), *asked):
                if model is not None:
                    check_name(model)
        return message

    return (yield from bpp.msg_mutator(plan, check))


def not_twice(record: logging.LogRecord) -> bool:
    """Drop the RunEngine's own report of a failed plan: whoever called it gets the exception."""
    return record.msg not in UNSAID


def next_scan_id(counter: Path) -> int:
    """Return a number that no other session of this laboratory gets."""
    with counter.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        number = int(file.read() or 0) + 1
        file.truncate(0)
        file.write(str(number))
    return number
