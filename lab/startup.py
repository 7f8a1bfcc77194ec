"""Everything a session needs, by name, in IPython and in the queue server's worker alike.

``from odmrlab.lab.startup import *`` in any Python, IPython or notebook, or ``start-re-manager
--startup-module odmrlab.lab.startup``. The instruments are looked for where EPICS_CA_ADDR_LIST says; the settings
are those of ``ODMRLAB_*``.
"""

import logging
import threading
from contextlib import ExitStack
from typing import Any

import bluesky.plan_stubs as bps
import bluesky.plans as bp
from rich.console import Console

from ..plans import blank, find_resonance, harmonics, odmr, one_point, spin_inertia, t1_against
from . import prompt
from .bound import bound
from .ending import end_on_signals
from .listing import listing
from .live import LiveTable
from .record.profile import write_profile
from .record.shipper import Shipper
from .session import Session, connect
from .settings import Settings, writable_folder

__all__ = [
    "RE",
    "blank",
    "bp",
    "bps",
    "catalog",
    "cryostat",
    "find_resonance",
    "harmonics",
    "laser",
    "lockin",
    "magnet",
    "odmr",
    "one_point",
    "plans",
    "resume",
    "rf",
    "session",
    "set_up",
    "spin_inertia",
    "t1_against",
]

if shell := prompt.current_shell():
    prompt.prepare(shell)  # first, so that silent instruments are told in a sentence
SHIPPING_TIME = 30.0  # s that the catalogue waits for runs on their way

settings = Settings()
writable_folder(settings.home, "odmrlab")
session = Session(settings, connect(settings.prefix), LiveTable())
RE = session.RE
magnet, rf, laser, cryostat, lockin = session.instruments

shipper = Shipper(settings)
resume, set_up = bound(settings.journal, session.instruments)


def catalog() -> Any:
    """Return the catalogue; runs that are still on their way to it after 30 s are told of."""
    session.road.drain()
    try:
        shipper.drain(SHIPPING_TIME)
    except TimeoutError as error:
        print(error)
    # late: it takes seconds to load, and not everybody asks for it
    from .record.catalogue import connect as open_catalogue

    return open_catalogue(settings)


def plans() -> None:
    """Show every plan with a line about it; ``odmr?`` shows what one takes."""
    Console().print(listing(PLANS))


PLANS = (
    odmr,
    find_resonance,
    spin_inertia,
    t1_against,
    harmonics,
    blank,
    one_point,
    resume,
    set_up,
)

leaving = ExitStack()  # from the last line to the first: documents, runs, then silence
# what the client says while the interpreter takes it apart helps nobody
leaving.callback(logging.getLogger("caproto").setLevel, logging.CRITICAL)
leaving.callback(shipper.close)
leaving.callback(session.close)
leaving.callback(RE.end, "its session was left")  # a plan that was paused
# not atexit: by then the threads that the client needs to give the instruments back take no work
threading._register_atexit(leaving.close)  # noqa: SLF001  as tiled does; no public way is as early
end_on_signals([RE], leaving.close)
if shell:
    write_profile(settings)
    prompt.attach(shell, session)
