"""Ctrl-C (SIGINT) comes once, twice or three times while a session measures.

It comes at a random moment of a scan, at each message of a short one in turn, and at each message of the
clean-up after a failure. Where somebody attends, a plan that was paused is resumed, aborted, or the session is
left, by chance. SIGTERM and SIGHUP come to a session in a process of its own. Wrong is a run that is not
closed, a RunEngine that is not idle, a bench that is not safe after a run that did not succeed, a
point that is not right, and a plan that was resumed and does not succeed.
"""

import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from interrupted import Shot
from kills import Victim
from rack import Rack
from scoreboard import Case

NAME = "Signals"
NUMBER = 40
CHOICES = ("resume", "abort", "leave")
APART = (0.12, 0.6)  # s between two of them, drawn from this range
LATEST = 30  # event at which a process is ended
ENDINGS = (signal.SIGTERM, signal.SIGHUP)
ENDING_TIME = 10.0  # s


def run(number: int, seed: int) -> Iterator[Case]:
    """Yield so many at random moments, at most as many at messages, and some that end a process."""
    rack, chance = Rack(), random.Random(seed)  # noqa: S311
    rack.start()
    from bystander import Bystander
    from interrupted import Interrupted
    from ours import Ours

    try:
        under = Interrupted(Ours())
        for _ in range(number):
            yield under.case(at_random(chance, under.duration))
        yield from at_messages(under, number, chance)
        bystander = Bystander()
        for n in range(-(-number // 20)):
            yield ended(ENDINGS[n % 2], under.stack, bystander, chance)
    finally:
        rack.kill()


def at_random(chance: random.Random, duration: float) -> Shot:
    """Return one at a random moment of a scan that takes so long [s], or just after it."""
    times = chance.choice((1, 2, 3))
    return Shot(
        times=times,
        attended=chance.random() < 0.5,
        choice=chance.choice(CHOICES),
        after=chance.uniform(0, 1.1 * duration),
        gaps=tuple(chance.uniform(*APART) for _ in range(times)),
    )


def at_messages(under, most: int, chance: random.Random) -> Iterator[Case]:
    """Yield one for every message, or so many of them, evenly spread."""
    shots = [
        Shot(times, times > 1, "abort", message=message, fails=fails)
        for fails, messages in ((False, under.messages()), (True, under.messages(fails=True)))
        for message in messages
        for times in ((1, 2) if fails else (1,))
    ]
    shots += [Shot(1, True, "resume", message=message) for message in under.messages()[::4]]
    step = max(1, len(shots) // most)
    for shot in shots[chance.randrange(step) :: step]:
        yield under.case(shot)


def ended(number: signal.Signals, stack, bystander, chance: random.Random) -> Case:
    """End a session in a process of its own with a signal, at a random moment."""
    from odmrlab.lab.record.journal import read

    with TemporaryDirectory() as home:
        bystander.wait_until_free()
        stack.prepare()
        victim = Victim(Path(home))
        victim.begin()
        list(victim.seen_until(chance.randrange(1, LATEST)))
        time.sleep(chance.uniform(0, 0.05))
        began = time.monotonic()
        victim.process.send_signal(number)
        victim.process.communicate(timeout=60)
        took = time.monotonic() - began
        (path,) = Path(home).glob("journal/*.jsonl")
        *_, (name, stop) = read(path)
    right = {
        "its run is not closed as aborted": (name, stop.get("exit_status")) == ("stop", "abort"),
        f"its exit status is {victim.process.returncode}": victim.process.returncode
        == 128 + number,
        "the bench is not safe": bystander.is_safe,
        "its lease is not given back": bystander.is_free,
        f"it took {took:.1f} s": took < ENDING_TIME,
    }
    wrong = "; ".join(words for words, holds in right.items() if not holds)
    return Case(number.name, wrong=wrong, safe=took, message=stop.get("reason", ""))
