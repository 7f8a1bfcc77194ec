"""The IPython prompt of the laboratory."""

import sys
import traceback
from typing import Any

from bluesky.run_engine import RunEngineResult
from bluesky.utils import FailedStatus, RunEngineInterrupted
from IPython.terminal.interactiveshell import TerminalInteractiveShell
from ophyd.utils import DisconnectedError, LimitError
from rich.console import Console
from traitlets.config import Config

from . import startup
from .record.profile import write_profile

FIRST_STEPS = """\
odmrlab: {place}

    RE(bps.mv(rf.output, "On", laser.shutter, "Open"))    switch on
    RE(odmr(lockin, magnet, 20, 65))                      an ODMR spectrum, with its fit
    RE(find_resonance(lockin, magnet, 0, 100))            go to the resonance
    RE(spin_inertia(lockin, rf.modulation_frequency))     T1 there
    catalog()[-1]                                         the last run in the catalogue

odmr? shows what a plan takes; exit leaves."""

SAID_WELL = (LimitError, DisconnectedError, TimeoutError, RunEngineInterrupted)  # in a sentence
DELIVERY = 10.0  # s for table and fit to appear before the next prompt


def run(place: str) -> None:
    """Give a person the prompt until they leave it.

    Args:
        place: Where the instruments are, for the first line.
    """
    write_profile(startup.settings)
    names = {name: getattr(startup, name) for name in startup.__all__}
    shell = TerminalInteractiveShell.instance(
        config=Config(TerminalInteractiveShell={"confirm_exit": False, "enable_tip": False}),
        user_ns=names | {"catalog": open_catalogue},
        banner1=FIRST_STEPS.format(place=place),
    )
    shell.set_custom_exc((Exception,), tell)
    shell.events.register("post_run_cell", lambda _: startup.session.road.drain(DELIVERY))
    shell.display_formatter.formatters["text/plain"].for_type(RunEngineResult, show_result)
    shell.show_banner()
    shell.mainloop()
    with Console().status("odmrlab: bringing the last runs into the catalogue"):
        startup.leaving.close()


def show_result(result: RunEngineResult, printer: Any, _cycle: bool) -> None:
    """Show what a plan returned, not the whole record of its end."""
    ended_well = result.exit_status == "success"
    shown = result.plan_result if ended_well and result.run_start_uids else None
    printer.text(repr(shown) if ended_well else result.exit_status)


def open_catalogue() -> Any:
    """Return the catalogue, with every finished run of this session in it."""
    startup.session.road.drain()
    startup.shipper.drain()
    # late: it takes seconds to load, and not everybody asks for it
    from .record.catalogue import connect

    return connect(startup.settings)


def tell(
    shell: Any, kind: type, error: Exception, trace: Any, tb_offset: int | None = None
) -> None:
    """Tell a person's own mistake in one sentence, everything else with its traceback."""
    if isinstance(error, FailedStatus) and error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, SAID_WELL) or is_ours(error):
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
    else:
        shell.showtraceback((kind, error, trace), tb_offset=tb_offset)


def is_ours(error: Exception) -> bool:
    """Return whether an error was raised on purpose, by a check in this package."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return bool(frames) and frames[-1].f_globals.get("__name__", "").startswith("odmrlab.")
