"""Everything a session needs, by name, in IPython and in the queue server's worker alike.

``from odmrlab.lab.startup import *`` in any Python, or ``start-re-manager --startup-module
odmrlab.lab.startup``. The instruments are looked for where EPICS_CA_ADDR_LIST says; the settings
are those of ``ODMRLAB_*``.
"""

import atexit
import logging
from contextlib import ExitStack
from typing import Any

import bluesky.plan_stubs as bps
import bluesky.plans as bp
from bluesky.utils import MsgGenerator, plan

from .. import plans
from ..plans import blank, find_resonance, harmonics, odmr, spin_inertia, t1_against
from .ending import end_on_signals
from .live import LiveTable
from .record.recorded import recorded
from .record.shipper import Shipper
from .session import Session, connect
from .settings import Settings, writable_folder

__all__ = [
    "RE",
    "blank",
    "bp",
    "bps",
    "cryostat",
    "find_resonance",
    "harmonics",
    "laser",
    "lockin",
    "magnet",
    "odmr",
    "resume",
    "rf",
    "session",
    "spin_inertia",
    "t1_against",
]

settings = Settings()
writable_folder(settings.home, "odmrlab")
session = Session(settings, connect(settings.prefix), LiveTable())
RE = session.RE
magnet, rf, laser, cryostat, lockin = session.instruments

shipper = Shipper(settings)


@plan
def resume(uid: str, md: dict[str, Any] | None = None) -> MsgGenerator[str]:
    """Measure what a run lacks that ended too early, linked to it and fitted together with it.

    Args:
        uid: Of the run, or its first characters.
        md: Metadata for the run.
    """
    return (yield from plans.resume(recorded(settings.journal, uid), session.instruments, md))


leaving = ExitStack()  # from the last line to the first: documents, runs, then silence
# what the client says while the interpreter takes it apart helps nobody
leaving.callback(logging.getLogger("caproto").setLevel, logging.CRITICAL)
leaving.callback(shipper.close)
leaving.callback(session.close)
atexit.register(leaving.close)
end_on_signals([RE], leaving.close)
