"""Scans of twelve points of which each meets one fault at a random moment.

The process of the instruments is killed, started anew or hung, or one of them is disturbed, for
ever or for a while. Wrong is a run that says success, or holds a point, and is not what a scan
without fault is, or that ended early and left rf or light on. Hung is one without an end after 40 s.
"""

import logging
import random
import threading
import time
from collections.abc import Iterator

from rack import NUMBER as POINTS
from rack import HungError, Rack, wrong
from scoreboard import Case

NAME = "Random faults in a scan"
NUMBER = 200
LONGEST = 40.0  # s for one scan, after which it hangs
ON_THE_WIRE = {
    "magnet": ("frozen readback", "NaN readback", "invalid alarm", "major alarm", "stuck motion",
               "refused puts", "lost completion", "dropped circuits", "quench", "wrong time"),
    "rf": ("unlevelled", "refused puts", "dropped circuits"),
    "laser": ("mode-lock loss", "dropped circuits", "NaN readback"),
    "cryostat": ("helium low", "NaN readback", "invalid alarm", "dropped circuits"),
    "lockin": ("overload", "unlock", "NaN readback", "frozen readback", "lost completion",
               "refused puts", "dropped circuits"),
}  # fmt: skip
NO_FAULT = "none"
PROCESS = ("killed", "restarted at once", "restarted after 1 s", "hung for 1 s", "hung for 5 s")


def run(number: int, seed: int) -> Iterator[Case]:
    """Yield so many scans of this laboratory."""
    rack = Rack()  # before the clients, which read its address once
    from ours import Ours

    yield from scans(Ours, rack, number, seed)


def scans(
    kind: type, rack: Rack, number: int, seed: int, undisturbed_first: int = 0
) -> Iterator[Case]:
    """Yield so many scans of one stack, each with one fault, but the first."""
    logging.disable(logging.CRITICAL)
    rack.start()
    try:
        stack = kind()
        undisturbed = stack.reference(LONGEST)
        chance = random.Random(seed)  # noqa: S311
        for _ in range(undisturbed_first):
            yield trial(rack, stack, undisturbed, NO_FAULT, 1, 0.0, None)
        for _ in range(number - undisturbed_first):
            yield trial(rack, stack, undisturbed, *drawn(chance))
    finally:
        if rack.alive:
            rack.kill()


def drawn(chance: random.Random) -> tuple[str, int, float, float | None]:
    """Return a fault, the point after which it happens, a delay [s], and for how long it lasts [s]."""
    faults = [f"{name}: {what}" for name, kinds in ON_THE_WIRE.items() for what in kinds]
    fault = chance.choice([*faults, *PROCESS, *PROCESS])
    lasted = chance.choice([None, 0.05, 0.3, 1.5])
    return fault, chance.randrange(1, POINTS - 1), chance.uniform(0, 0.12), lasted


def do(rack: Rack, stack, fault: str, lasted: float | None) -> None:
    """Let it happen."""
    if fault == "killed":
        rack.kill()
    elif fault.startswith("restarted"):
        rack.restart(1.0 if "1 s" in fault else 0.0)
    elif fault.startswith("hung"):
        rack.hang(5.0 if "5 s" in fault else 1.0)
    elif fault != NO_FAULT:
        name, what = fault.split(": ")
        stack.faults[name].put(what, wait=False)
        if lasted is not None:
            time.sleep(lasted)
            stack.faults[name].put("none", wait=False)


def trial(
    rack: Rack,
    stack,
    undisturbed: list[dict],
    fault: str,
    point: int,
    delay: float,
    lasted: float | None,
) -> Case:
    """Run one scan with one fault, after a point and a delay [s], for a while [s] or for ever."""
    if not rack.alive:
        rack.start()
    stack.prepare()
    happening: list[threading.Timer] = []

    def at_point(number: int) -> None:
        if number == point and not happening:
            happening.append(threading.Timer(delay, do, (rack, stack, fault, lasted)))
            happening[0].start()

    began, failure = time.monotonic(), ""
    try:
        stack.scan(at_point, LONGEST)
    except Exception as error:  # noqa: BLE001  whatever ends a scan is an outcome
        failure = f"{type(error).__name__}: {error.__cause__ or error}"
    duration = time.monotonic() - began
    for timer in happening:
        timer.join()
    success = stack.documents.stop.get("exit_status") == "success"
    bad = wrong(stack.documents.rows, undisturbed, whole=success)
    if not (bad or success) and rack.alive:
        bad = left_on(stack)
    facts = {"point": point, "delay": delay, "lasted": lasted, "duration": duration}
    return Case(
        fault,
        wrong=bad,
        hung=failure.startswith(HungError.__name__),
        message=failure,
        facts=facts | {"success": success},
    )


def left_on(stack) -> str:
    """Say what is left on, once the faults are over and the lease has ended; empty when nothing."""
    from ophyd.utils import DisconnectedError

    deadline = time.monotonic() + LONGEST
    while time.monotonic() < deadline:
        try:
            for fault in stack.faults.values():
                fault.wait_for_connection(timeout=20)
                fault.put("none", use_complete=True)
            return "" if stack.is_safe() else "rf or light left on"
        except (DisconnectedError, TimeoutError):  # its circuits were dropped: soon again
            time.sleep(0.1)
    return "the instruments do not answer"
