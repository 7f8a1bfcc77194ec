"""Going on with a run from the command line."""

import logging
import time
from contextlib import ExitStack

from bluesky.utils import RunEngineInterrupted

from ..plans import ResumeError, resume
from .ending import end_on_signals
from .live import LiveTable
from .record.journal import SUFFIX
from .record.recorded import recorded
from .record.shipper import Shipper
from .session import Session, connect
from .settings import Settings

SHIPPING_TIME = 30.0  # s for the catalogue to have it all


def go_on(settings: Settings, run: str) -> None:
    """Measure what a run lacks.

    Args:
        settings: Of this laboratory.
        run: Its uid, or the first characters of it.

    Raises:
        ResumeError: The run is whole, unknown, or the bench is not what it was.
        NotConnectedError: Instruments do not answer.
    """
    kept = recorded(settings.journal, run)
    kept.check()
    print(
        f"{kept.start['plan_name']} {kept.start['uid']}: {len(kept.rows)} of {len(kept.points)} points are there"
    )
    with ExitStack() as stack:
        # what the client says while the interpreter takes it apart helps nobody
        stack.callback(logging.getLogger("caproto").setLevel, logging.CRITICAL)
        shipper = stack.enter_context(Shipper(settings))
        session = Session(settings, connect(settings.prefix), LiveTable(), attended=False)
        stack.callback(shipper.close)
        stack.callback(session.close)
        end_on_signals([session.RE])
        try:
            session.RE(resume(kept, session.instruments))
        except (RunEngineInterrupted, KeyboardInterrupt):
            raise ResumeError("resume: interrupted; the same command goes on from there") from None
        session.road.drain()
        wait_for_catalogue(settings, shipper, kept.runs)


def wait_for_catalogue(settings: Settings, shipper: Shipper, runs: list[str]) -> None:
    """Wait until runs are in the catalogue, whose shipper may be that of the session that died."""
    deadline = time.monotonic() + SHIPPING_TIME
    journals = [settings.journal / f"{run}{SUFFIX}" for run in runs]
    try:
        shipper.drain(SHIPPING_TIME)
    except TimeoutError as late:
        print(late)
    while any(path.exists() for path in journals) and time.monotonic() < deadline:
        time.sleep(0.1)
