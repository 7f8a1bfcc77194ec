"""Fault trials: scans of a twin whose instruments are killed, hung and disturbed at random moments.

    python faults [--trials N] [--seed N] [--control N] [--out FILE] [--page FILE]

Each trial is one scan with one fault. What counts is what is on record afterwards: a run that says
success and holds a point that is not what it is said to be must not be.
"""

import argparse
import json
import logging
import random
import sys
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass
from math import exp, log
from pathlib import Path

from rack import NUMBER, Documents, HungError, Rack, wrong
from rich.progress import track

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
PROCESS = ("killed", "restarted at once", "restarted after 1 s", "hung for 1 s", "hung for 5 s")
OUTCOMES = ("right", "ended and said why", "wrong", "hung")


@dataclass(frozen=True)
class Trial:
    """One scan with one fault.

    Attributes:
        fault: What happened.
        point: Number of points that were on record when it did.
        lasted: For how long [s]; None for the rest of the scan.
        outcome: One of OUTCOMES; wrong is success with a wrong point.
        told: What the run said, or what is wrong with it.
        safe: Whether rf and light were off after a run that ended early.
        duration: Of the scan [s].
    """

    fault: str
    point: int
    lasted: float | None
    outcome: str
    told: str
    safe: bool | None
    duration: float


def drawn(chance: random.Random) -> tuple[str, int, float, float | None]:
    """Return a fault, the point after which it happens, a delay [s], and for how long it lasts [s]."""
    faults = [f"{name}: {what}" for name, kinds in ON_THE_WIRE.items() for what in kinds]
    fault = chance.choice([*faults, *PROCESS, *PROCESS])
    lasted = chance.choice([None, 0.05, 0.3, 1.5])
    return fault, chance.randrange(1, NUMBER - 1), chance.uniform(0, 0.12), lasted


def do(rack: Rack, stack, fault: str, lasted: float | None) -> None:
    """Let it happen."""
    if fault == "killed":
        rack.kill()
    elif fault.startswith("restarted"):
        rack.restart(1.0 if "1 s" in fault else 0.0)
    elif fault.startswith("hung"):
        rack.hang(5.0 if "5 s" in fault else 1.0)
    else:
        name, what = fault.split(": ")
        stack.faults[name].put(what, wait=False)
        if lasted is not None:
            time.sleep(lasted)
            stack.faults[name].put("none", wait=False)


def trial(rack: Rack, stack, undisturbed: list[dict], chance: random.Random) -> Trial:
    """Run one scan with one fault."""
    if not rack.alive:
        rack.start()
    stack.prepare()
    fault, point, delay, lasted = drawn(chance)
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
    outcome, told = judged(stack.documents, undisturbed, failure)
    ended = outcome == "ended and said why" and rack.alive
    return Trial(fault, point, lasted, outcome, told, made_safe(stack) if ended else None, duration)


def judged(documents: Documents, undisturbed: list[dict], failure: str) -> tuple[str, str]:
    """Return the outcome of a scan, and what there is to say about it."""
    success = documents.stop.get("exit_status") == "success"
    if failure.startswith(HungError.__name__):
        return "hung", failure
    if bad := wrong(documents.rows, undisturbed, whole=success):
        return "wrong", bad
    return ("right", "") if success else ("ended and said why", failure)


def made_safe(stack) -> bool:
    """Tell whether the bench is safe, once its faults are over and its lease has ended."""
    try:
        for fault in stack.faults.values():
            fault.wait_for_connection(timeout=20)
            fault.put("none", use_complete=True)
        return stack.is_safe()
    except TimeoutError:
        return False


def reference(stack) -> list[dict]:
    """Return the points of a scan without any fault; a stock scan may hang even then."""
    while True:
        stack.prepare()
        try:
            stack.scan(lambda _: None, LONGEST)
        except HungError:
            continue
        return stack.documents.rows


def trials(kind, number: int, seed: int) -> list[Trial]:
    """Run so many trials with one stack."""
    rack = Rack() if not RACKS else RACKS[0]
    RACKS[:] = [rack]
    if not rack.alive:
        rack.start()
    stack = kind(lambda _: None)
    undisturbed = reference(stack)
    chance = random.Random(seed)  # noqa: S311
    made = []
    for _ in track(range(number), description=stack.name):
        made.append(trial(rack, stack, undisturbed, chance))
    return made


RACKS: list[Rack] = []  # the clients read the address of their IOC once


def summary(made: list[Trial]) -> dict:
    """Return what came of the trials, with the 95 % bound on the share of wrong ones."""
    counts = Counter(one.outcome for one in made)
    bad = counts["wrong"] + counts["hung"]
    bound = 1 - exp(log(0.05) / len(made)) if not bad else None
    ended = [one for one in made if one.safe is not None]
    return {
        "trials": len(made),
        "outcomes": {name: counts[name] for name in OUTCOMES},
        "bound_95": bound,
        "ended_early": len(ended),
        "left_safe": sum(one.safe for one in ended),
    }


def page(parts: dict[str, list[Trial]], seed: int) -> str:
    """Return the scoreboard as a page."""
    text = HEAD.format(seed=seed)
    for name, made in parts.items():
        told = summary(made)
        text += f"\n## {name}: {told['trials']} scans\n\n"
        bound = told["bound_95"]
        limit = f"; with 95 % confidence fewer than {100 * bound:.2g} % go wrong" if bound else ""
        text += f"Of {told['ended_early']} that ended early, {told['left_safe']} left rf and light off{limit}.\n\n"
        text += f"| fault | scans | {' | '.join(OUTCOMES)} |\n|{'---|' * (2 + len(OUTCOMES))}\n"
        for fault in sorted({one.fault for one in made}):
            counts = Counter(one.outcome for one in made if one.fault == fault)
            cells = [str(counts[outcome]) for outcome in OUTCOMES]
            text += f"| {fault} | {sum(counts.values())} | {' | '.join(cells)} |\n"
    return text


HEAD = """\
# Faults

Written by `make faults`, seed {seed}. Each scan of twelve points meets one fault at a random moment: the process of the instruments is
killed, started anew or hung, or one of them is disturbed, for ever or for a while. *Right*: the run says success, and every point
is where and what it is in a scan without fault. *Ended and said why*: the run failed with a reason, and what it holds is right. *Wrong*: it
says success, or holds a point, and is not right. *Hung*: no end within 40 s.
"""


def main() -> None:
    """Run the trials and write the scoreboard."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--control", type=int, default=0, help="scans of the stock stack")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("out/faults.json"))
    parser.add_argument("--page", type=Path)
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    RACKS.append(Rack())
    from ours import Ours
    from stock import Stock

    parts = {}
    try:
        for kind, number in ((Ours, options.trials), (Stock, options.control)):
            if number:
                parts[kind.name] = trials(kind, number, options.seed)
    finally:
        if RACKS[0].alive:
            RACKS[0].kill()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    content = {
        name: summary(made) | {"scans": [asdict(one) for one in made]}
        for name, made in parts.items()
    }
    options.out.write_text(json.dumps(content, indent=1))
    if options.page:
        options.page.write_text(page(parts, options.seed))
    for name, made in parts.items():
        print(name, json.dumps(summary(made)["outcomes"]))
    ours = [one for one in parts.get(Ours.name, []) if one.outcome in ("wrong", "hung")]
    for one in ours:
        print(f"{one.outcome}: {one.fault} at point {one.point}: {one.told}")
    sys.exit(bool(ours))


if __name__ == "__main__":
    main()
