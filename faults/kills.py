"""The process of a measuring session is killed (SIGKILL) at a random event.

The catalogue is written meanwhile, is not, or its shipper is killed at the same moment. Lost are
documents that a callback in that process had seen and that the journal does not hold, or that the
catalogue does not hold, row by row, after `odmrlab journal replay`. Wrong is a bench that is not safe
within the lease time of 3 s and one more, and a run that is not closed as failed.
"""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from rack import Rack
from scoreboard import Case

NAME = "The session is killed"
NUMBER = 18
TOGETHER = 12  # cases that share a home and are replayed together
CATALOGUES = ("down", "killed too", "up")
LATEST = 30  # event
LONGEST = 300.0  # s for a shipper to load and to end
SAFE_AFTER = 3.0 + 1.0  # s, the lease time and one more
HERE = Path(__file__).parent
COMMAND = "from odmrlab.lab.cli import main; main()"


@dataclass(frozen=True)
class Death:
    """What was seen of one session before it died.

    Attributes:
        case: But for what the catalogue has.
        run: Uid of its run.
        seen: Name and uid of every document that a callback had seen.
    """

    case: Case
    run: str
    seen: list[tuple[str, str]]


def run(number: int, seed: int) -> Iterator[Case]:
    """Yield so many killed sessions."""
    rack, chance = Rack(), random.Random(seed)  # noqa: S311
    rack.start()
    from bystander import Bystander
    from ours import Ours

    try:
        stack, bystander = Ours(), Bystander()
        for begin in range(0, number, TOGETHER):
            together = min(TOGETHER, number - begin)
            kinds = sorted(CATALOGUES[n % 3] for n in range(together))
            with tempfile.TemporaryDirectory() as home:
                yield from killed(Path(home), kinds, stack, bystander, chance)
    finally:
        rack.kill()


def killed(home: Path, kinds: list[str], stack, bystander, chance: random.Random) -> Iterator[Case]:
    """Yield sessions that share a home, once what is there has been replayed and compared."""
    deaths, following = [], Victim(home)
    for kind, group in groupby(kinds):
        with shipping(home) if kind == "up" else nullcontext():
            for _ in group:
                last = len(deaths) == len(kinds) - 1
                while following:
                    bystander.wait_until_free()
                    stack.prepare()
                    victim, following = following, None if last else Victim(home)
                    if made := death(victim, kind, bystander, chance):
                        deaths.append(made)
                        break
                    following = following or Victim(home)
    replayed = odmrlab("replay", home)
    verified = odmrlab("verify", home)
    number = len(deaths)
    whole = f"{number} of {number} runs are in the catalogue, row by row" in verified
    journal = lines(home)
    for one in deaths:
        yield judged(one, journal, home, "" if whole else replayed + verified)


class Victim:
    """A session in a process of its own, ready to begin."""

    def __init__(self, home: Path):
        command = [sys.executable, str(HERE / "victim.py"), str(home)]
        self.process = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )

    def begin(self) -> None:
        """Let it take the instruments and measure."""
        self.process.stdin.write(b"go\n")
        self.process.stdin.flush()

    def seen_until(self, event: int) -> Iterator[bytes]:
        """Yield a line for every document, up to an event."""
        for line in self.process.stdout:
            yield line
            event -= line.startswith(b"event")
            if event <= 0:
                return

    def kill(self) -> list[bytes]:
        """Kill it; returns the lines that it still wrote."""
        self.process.kill()
        rest = self.process.stdout.readlines()
        self.process.wait(10)
        self.process.stdin.close()
        self.process.stdout.close()
        return rest


def death(victim: Victim, kind: str, bystander, chance: random.Random) -> Death | None:
    """Let a session measure and kill it; None when it did not come to measure."""
    event, delay = chance.randrange(1, LATEST), chance.uniform(0, 0.05)
    home = Path(victim.process.args[-1])
    with shipping(home) if kind == "killed too" else nullcontext() as shipper:
        victim.begin()
        told = list(victim.seen_until(event))
        time.sleep(delay)
        if shipper:
            os.kill(shipper._process.pid, signal.SIGKILL)  # noqa: SLF001
        died = time.monotonic()
        told += victim.kill()
        safe = bystander.seconds_until_safe(died)
    seen = [line.decode().split() for line in told if line.endswith(b"\n")]
    if not seen:
        return None
    late = "" if safe is not None and safe < SAFE_AFTER else f"safe after {safe} s"
    facts = {"event": event, "delay": delay, "documents": len(seen)}
    case = Case(f"killed, catalogue {kind}", wrong=late, safe=safe, facts=facts)
    return Death(case, seen[0][1], [(name, uid) for name, _, uid in seen])


@contextmanager
def shipping(home: Path) -> Iterator:
    """Ship from a home during a block."""
    from odmrlab.lab.record.shipper import Shipper
    from odmrlab.lab.settings import Settings

    shipper = Shipper(Settings(home=home))
    yield shipper
    shipper.close(LONGEST)


def lines(home: Path) -> dict[str, set[tuple[str, str]]]:
    """Return name and uid of every document of the journal, by run."""
    from odmrlab.lab.record.journal import read

    paths = [*home.glob("journal/*.jsonl"), *home.glob("journal/*/*.jsonl")]
    return {path.stem: {(name, doc["uid"]) for name, doc in read(path)} for path in paths}


def odmrlab(word: str, home: Path) -> str:
    """Run a command of the journal; returns what it says."""
    env = os.environ | {"ODMRLAB_HOME": str(home), "HOME": str(home), "COLUMNS": "200"}
    command = [sys.executable, "-c", COMMAND, "journal", word]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=env)  # noqa: S603
    return done.stdout + done.stderr


def judged(death: Death, journal: dict, home: Path, differences: str) -> Case:
    """Return the case with what is lost, and how its run was closed."""
    from odmrlab.lab.record.journal import read

    lost = len(set(death.seen) - journal.get(death.run, set()))
    wrong = death.case.wrong or differences
    reason = ""
    for path in home.glob(f"journal/shipped/{death.run}.jsonl"):
        *_, (name, stop) = read(path)
        reason = stop.get("reason", "") if (name, stop["exit_status"]) == ("stop", "fail") else ""
    wrong = wrong or ("" if reason else "its run is not closed as failed")
    pid = [word for word in reason.split() if word.isdigit()]
    told = reason.replace(pid[0], "PID") if pid else reason
    return replace(death.case, lost=lost, wrong=wrong, message=told)
