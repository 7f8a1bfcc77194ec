"""An interlock trips, or its PV is lost, hung, INVALID or NaN, in a scan and before one.

Each instrument stands in a process of its own. Wrong is a run that starts on it, a run that says success
although it never held again, a point that was recorded more than 0.2 s after it (after a hung one, more than
3 s), a point that is not right, and a bench that is not left safe.
"""

import random
import threading
import time
from collections.abc import Iterator

from kills import SAFE_AFTER
from rack import Documents, Rack, wrong
from restarts import ALL
from scoreboard import Case

NAME = "Interlocks"
LONGEST, PATIENCE = 60.0, 1.0  # s
LATE, LATE_HUNG = 0.2, 3.0  # s
TRIPS = {
    "magnet": "quench",
    "cryostat": "helium low",
    "laser": "mode-lock loss",
    "rf": "unlevelled",
}
LOST, HUNG = "lost", "hung"
CASES = [(name, what) for name in TRIPS for what in (TRIPS[name], LOST, HUNG)]
CASES += [("cryostat", "NaN readback"), ("cryostat", "invalid alarm")]
NUMBER = 2 * len(CASES)


def run(number: int, seed: int) -> Iterator[Case]:
    """Yield so many scans, by turns one in which it happens and one before which it does."""
    racks = {name: Rack(name) for name in ALL}
    for rack in racks.values():
        rack.start()
    from ours import Ours

    chance = random.Random(seed)  # noqa: S311
    try:
        stack = Ours()
        undisturbed = stack.reference(LONGEST)
        for n in range(number):
            name, what = CASES[n // 2 % len(CASES)]
            yield case(stack, racks[name], name, what, undisturbed, chance, before=n % 2 == 1)
    finally:
        for rack in racks.values():
            if rack.alive:
                rack.kill()


def case(
    stack, rack: Rack, name: str, what: str, undisturbed: list[dict], chance, before: bool
) -> Case:
    """Have it happen in a scan, or before one."""
    if not rack.alive:
        rack.start()
    stack.prepare()
    point, happened = chance.randrange(2, 8), []

    def at_point(number: int) -> None:
        if number == point and not (happened or before):
            happened.append(time.time())
            threading.Thread(target=happen, args=(stack, rack, name, what)).start()

    def ready() -> None:
        if before:
            happen(stack, rack, name, what)
            time.sleep(late)

    late = LATE_HUNG if what == HUNG else LATE
    failure = ""
    try:
        stack.scan(at_point, LONGEST, PATIENCE, ready)
    except Exception as error:  # noqa: BLE001  whatever ends a scan is an outcome
        failure = f"{type(error).__name__}: {error.__cause__ or error}"
    if what == HUNG:
        rack.go_on()
        stack.wait()
        time.sleep(SAFE_AFTER)  # the lease that it was left with counts from its awakening
    safe = True if rack.names and not rack.alive else stack.is_safe()
    bad = judged(stack.documents, undisturbed, happened, before, late)
    if not bad and not before and not safe:
        bad = "rf or light left on"
    when = "before a run" if before else "in a run"
    return Case(f"{name}: {what}, {when}", wrong=bad, hung="HungError" in failure, message=failure)


def happen(stack, rack: Rack, name: str, what: str) -> None:
    """Let it happen."""
    if what == LOST:
        rack.kill()
    elif what == HUNG:
        rack.stop()
    else:
        stack.faults[name].put(what, wait=False)


def judged(
    documents: Documents, undisturbed: list[dict], happened: list[float], before: bool, late: float
) -> str:
    """Say what is wrong; empty when nothing is."""
    if before:
        return "the run starts" if documents.started else ""
    if documents.stop.get("exit_status") == "success":
        return "success"
    if not happened:
        return "it did not happen"
    after = [moment - happened[0] for moment in documents.times if moment > happened[0] + late]
    if after:
        return f"a point was recorded {max(after):.1f} s after it"
    return wrong(documents.rows, undisturbed, whole=False)
