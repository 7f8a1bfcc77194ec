"""How a plan leaves the bench: safe after a failure, as declared after success."""

import logging
from collections.abc import Mapping
from operator import attrgetter
from typing import Any

import bluesky.plan_stubs as bps
import bluesky.preprocessors as bpp
from bluesky.utils import FailedPause, FailedStatus, Msg, MsgGenerator, RunEngineControlException

from ..devices import DisconnectedError

log = logging.getLogger(__name__)

# What safe means, by attribute of the bench: the field is held; {"magnet.field": 0.0} parks it.
SAFE: Mapping[str, Any] = {"rf.output": "Off", "laser.shutter": "Closed", "magnet.halt": 1}
AS_IT_IS: Mapping[str, Any] = {}
MOMENT = 0.05  # s, after which a put that was refused for another is tried again
TRIES = 5  # for what the end of the plan throws in between: its abort, its failed motions


class UnsafeError(RuntimeError):
    """Something could not be made safe."""


def left_safe(
    plan: MsgGenerator,
    bench: Any,
    after_failure: Mapping[str, Any] = SAFE,
    after_success: Mapping[str, Any] = AS_IT_IS,
) -> MsgGenerator:
    """Run a plan and leave the bench safe, however it ends: failure, abort, stop, interruption.

    A plan that is refused before its first message has moved nothing, so nothing is done.

    Args:
        plan: To be run.
        bench: Whose attributes the tables name.
        after_failure: Value by attribute, put when the plan did not come to its end.
        after_success: The same, when it did.

    Raises:
        UnsafeError: After success, naming what could not be put.
    """
    begun = False

    def noted(message: Msg) -> Msg:
        nonlocal begun
        begun = True
        return message

    def failed(error: Exception) -> MsgGenerator[None]:
        if not begun:
            return
        if unsafe := (yield from put_all(bench, after_failure)):
            log.error(unsafe)  # the plan's own error is the one that is raised
        elif not isinstance(error, RunEngineControlException):  # who has asked for it was told
            left = ", ".join(f"{name} {value}" for name, value in after_failure.items())
            log.warning("the plan has failed and the bench is left safe: %s", left)

    def succeeded() -> MsgGenerator[None]:
        if unsafe := (yield from put_all(bench, after_success)):
            raise UnsafeError(unsafe)

    return (
        yield from bpp.contingency_wrapper(
            bpp.msg_mutator(plan, noted), except_plan=failed, else_plan=succeeded
        )
    )


def put_all(bench: Any, table: Mapping[str, Any]) -> MsgGenerator[str]:
    """Put every value of a table, one failing or not, and wait until all are there.

    Returns:
        What could not be put and why; empty when all is well.
    """
    errors = {}
    for name, value in table.items():
        if error := (yield from put(attrgetter(name)(bench), value)):
            errors[name] = error
    reasons = [f"{name} may not be {table[name]}: {error}" for name, error in errors.items()]
    return "; ".join(reasons)


def put(signal: Any, value: Any) -> MsgGenerator[Exception | None]:
    """Put one value and wait; returns why it could not be put, or None."""
    error: Exception | None = None
    for _ in range(TRIES):
        try:
            yield from bps.abs_set(signal, value, wait=True)
        except (RunEngineControlException, FailedPause) as interruption:
            error = interruption
        except (DisconnectedError, TimeoutError) as lost:
            return lost
        except FailedStatus as failure:
            error = failure.__cause__ or failure
            if getattr(failure.args[0], "obj", signal) is signal:
                return error
        except RuntimeError as busy:  # with the put that was interrupted; ophyd takes one at a time
            error = busy
            yield from bps.sleep(MOMENT)
        else:
            return None
    return error
