"""What makes IPython and Jupyter a laboratory's prompt: mistakes in a sentence, magics, whole tables."""

import sys
import traceback
from typing import TYPE_CHECKING, Any

from bluesky.run_engine import RunEngineResult
from bluesky.utils import FailedStatus, RunEngineInterrupted

from ..devices import DisconnectedError, LimitError
from .live import told_numbers

if TYPE_CHECKING:
    from .session import Session

SAID_WELL = (LimitError, DisconnectedError, TimeoutError, RunEngineInterrupted)  # in a sentence
RUN = ("bluesky_tiled_plugins.clients.bluesky_run", "BlueskyRunV3")  # loaded when needed
DELIVERY = 10.0  # s for table and fit to appear before the next prompt


def current_shell() -> Any:
    """Return the IPython shell or notebook kernel that runs this session; None in plain Python."""
    if "IPython" not in sys.modules:
        return None
    from IPython import get_ipython

    return get_ipython()


def prepare(shell: Any) -> None:
    """Have a shell tell a person's mistakes in one sentence, and plans' results briefly."""
    shell.set_custom_exc((Exception,), tell)
    shown = shell.display_formatter.formatters["text/plain"]
    shown.for_type(RunEngineResult, show_result)
    shown.for_type_by_name(*RUN, show_run)


def attach(shell: Any, session: "Session") -> None:
    """Give a shell the magics of a session, and wait for its tables before the next prompt."""
    # late: the class of magics loads IPython, which the queue's worker can do without
    from .magics import LabMagics

    shell.register_magics(LabMagics(shell, session))
    shell.events.register("post_run_cell", lambda _: session.road.drain(DELIVERY))


def show_result(result: RunEngineResult, printer: Any, _cycle: bool) -> None:
    """Show what a plan returned, not the whole record of its end."""
    ended_well = result.exit_status == "success"
    shown = result.plan_result if ended_well and result.run_start_uids else None
    printer.text(repr(shown) if ended_well else result.exit_status)


def show_run(run: Any, printer: Any, _cycle: bool) -> None:
    """Show a run of the catalogue as Tiled does; of a fit, its numbers as well."""
    start = run.metadata["start"]
    lines = [repr(run)]
    if start.get("technique") == "fit":
        of = ", ".join(uid[:8] for uid in start["analysis_of"])
        lines.append(f"fit {start['model']} of {of}")
    if "result" in start:
        data_keys = run["primary"].metadata["data_keys"]
        numbers = told_numbers(data_keys, start["result"], start["parameters"])
        lines += [f"    {number}" for number in numbers]
    elif reason := (run.metadata.get("stop") or {}).get("reason"):
        lines.append(f"    {reason}")
    printer.text("\n".join(lines))


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
