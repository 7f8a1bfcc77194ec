"""Magnet, rf or lock-in, each in a process of its own, is killed or hung in the middle of a scan.

It is started anew after 3 s or after 15 s, with the settings of a fresh start, which have to be restored; or
refuses to be put back to what it was; or does not come back, which ends the plan after 3 s with the name of
a PV; or is stopped (SIGSTOP) for 5 s. Wrong is a scan without all of its points, each right, where the
instrument came back, and any success where it did not or was another.
"""

import logging
import os
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from rack import NUMBER as POINTS
from rack import Rack, wrong
from scoreboard import Case

NAME = "An instrument is lost in a scan, with caproto beneath ophyd"
NUMBER = 15
INSTRUMENTS = ("magnet", "rf", "lockin")
ALL = ("magnet", "rf", "laser", "cryostat", "lockin")
KINDS = ("back after 3 s", "back after 15 s", "stopped for 5 s", "back, but refuses", "lost")
COMES_BACK = KINDS[:3]
PATIENCE, IMPATIENCE = 60.0, 3.0  # s for which the plan waits
LONGEST = 120.0  # s for one scan
NOTICED = "outage: "
REFUSES = '[[fault]]\ninstrument = "{name}"\nfault = "refused puts"\ntime = 0.0\n'


def run(number: int, seed: int) -> Iterator[Case]:
    """Yield so many scans in which one instrument is lost."""
    os.environ.setdefault("OPHYD_CONTROL_LAYER", "caproto")
    racks = {name: Rack(name) for name in ALL}
    for rack in racks.values():
        rack.start()
    from ours import Ours

    chance = random.Random(seed)  # noqa: S311
    try:
        stack = Ours()
        undisturbed = stack.reference(LONGEST)
        for n in range(number):
            name, kind = INSTRUMENTS[n % 3], KINDS[n // 3 % len(KINDS)]
            for rack in racks.values():
                if not rack.alive:  # one that was lost for good
                    rack.start()
            yield case(stack, racks[name], name, kind, undisturbed, chance)
    finally:
        for rack in racks.values():
            if rack.alive:
                rack.kill()


class Clock(logging.Handler):
    """Notes when the guard of a plan says that something is lost, and when that is over."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.noticed: float | None = None
        self.over: float | None = None

    def emit(self, record: logging.LogRecord) -> None:
        words = record.getMessage()
        if self.noticed is None and words.startswith(NOTICED):
            self.noticed = time.monotonic()
        if "; over, restored" in words:
            self.over = time.monotonic()


def case(
    stack, rack: Rack, name: str, kind: str, undisturbed: list[dict], chance: random.Random
) -> Case:
    """Lose one instrument in one scan."""
    stack.prepare()
    point, delay = chance.randrange(1, POINTS - 1), chance.uniform(0, 0.12)
    times: dict[str, float] = {}
    happening: list[threading.Timer] = []

    def at_point(number: int) -> None:
        if number == point and not happening:
            happening.append(threading.Timer(delay, lose, (rack, name, kind, times)))
            happening[0].start()

    clock, log = Clock(), logging.getLogger("odmrlab.plans.guard")
    log.addHandler(clock)
    failure, began = "", time.monotonic()
    try:
        stack.scan(at_point, LONGEST, IMPATIENCE if kind == "lost" else PATIENCE)
    except Exception as error:  # noqa: BLE001  whatever ends a scan is an outcome
        failure = f"{type(error).__name__}: {error.__cause__ or error}"
    log.removeHandler(clock)
    duration = time.monotonic() - began
    for timer in happening:
        timer.join()
    if kind == "back, but refuses":
        rack.kill()  # it would refuse for ever
    success = stack.documents.stop.get("exit_status") == "success"
    bad = wrong(stack.documents.rows, undisturbed, whole=success)
    facts = measured(times, clock) | {"point": point, "delay": delay, "duration": duration}
    return Case(
        f"{name} {kind}",
        wrong=bad or otherwise(kind, success, failure, name),
        hung="HungError" in failure,
        resumed=success if kind in COMES_BACK else None,
        message=failure,
        facts=facts,
    )


def lose(rack: Rack, name: str, kind: str, times: dict[str, float]) -> None:
    """Let it happen; notes when it was lost, and when it was back."""
    times["lost"] = time.monotonic()
    if kind.startswith("stopped"):
        rack.hang(5.0)
        times["back"] = time.monotonic()
        return
    rack.kill()
    if kind == "lost":
        return
    time.sleep(15.0 if "15" in kind else 3.0)
    with tempfile.TemporaryDirectory() as folder:
        scenario = Path(folder) / "refuses.toml"
        scenario.write_text(REFUSES.format(name=name))
        rack.start(*(("--scenario", scenario) if "refuses" in kind else ()))
    times["back"] = time.monotonic()


def measured(times: dict[str, float], clock: Clock) -> dict[str, float]:
    """Return how long it took to notice, and until work went on once it was back [s]."""
    found = {}
    if clock.noticed and "lost" in times:
        found["noticed"] = clock.noticed - times["lost"]
    if clock.over and "back" in times:
        found["used_again"] = clock.over - times["back"]
    return found


def otherwise(kind: str, success: bool, failure: str, name: str) -> str:
    """Say how the end of the scan is not what it has to be."""
    if kind in COMES_BACK:
        return "" if success else "it came back, and the scan ended"
    if success:
        return "success without the instrument"
    if kind == "lost" and f"F:{name.capitalize()}:" not in failure:
        return "the message does not name a PV of it"
    return ""


def remarks(cases: Sequence[Case]) -> str:
    """Return how fast it is: medians and worst of what was measured [s]."""
    parts = {
        "a killed one was noticed": ("noticed", lambda fault: "stopped" not in fault),
        "a stopped one was noticed": ("noticed", lambda fault: "stopped" in fault),
        "one that was back was used again": ("used_again", lambda fault: "refuses" not in fault),
    }
    told = []
    for words, (key, wanted) in parts.items():
        measured = [case.facts[key] for case in cases if key in case.facts and wanted(case.fault)]
        found = [time for time in measured if time >= 0]  # else there was another outage before
        if found:
            middle, worst = statistics.median(found), max(found)
            told.append(f"{words} after {middle:.2f} s, at worst {worst:.2f} s (of {len(found)})")
    return f"{'; '.join(told)}.".capitalize() if told else ""
