"""A person at the prompt: the tutorial's very commands, a plan that is paused, and leaving."""

import os
import signal
import sys
from pathlib import Path

import pexpect
import pytest
from pages import blocks

from odmrlab.lab.record.journal import read

pytestmark = pytest.mark.timeout(400)  # a whole session, on a machine that is busy

ROOT = Path(__file__).parent.parent
PROMPT = r"In \[\d+\]: "
COMMAND = [sys.executable, "-c", "from odmrlab.lab.cli import main; main()", "shell"]
PATIENCE = 120  # s
WORDS = ("RE(odmr(", "RE(find_resonance(", "RE(spin_inertia(", "%mov", "%wa", "plans()")


class Person:
    """Types at a prompt and reads what comes."""

    def __init__(self, home: Path):
        environment = os.environ | {
            "ODMRLAB_HOME": str(home),
            "TILED_PROFILES": str(home / "profiles"),
            "IPYTHONDIR": str(home / "ipython"),
            "TERM": "dumb",
            "PROMPT_TOOLKIT_NO_CPR": "1",
        }
        words = [*COMMAND[1:], "--speed", "1000", "--seed", "5"]
        self.terminal = pexpect.spawn(
            COMMAND[0],
            words,
            env=environment,
            encoding="utf-8",
            timeout=PATIENCE,
            dimensions=(60, 100),
        )
        self.terminal.expect(PROMPT)

    def types(self, line: str) -> str:
        """Type a line; return what comes before the next prompt."""
        self.terminal.sendline(line)
        self.terminal.expect(PROMPT)
        return self.terminal.before

    def presses_ctrl_d(self) -> None:
        """Press it until the session ends; a terminal that changes its mode may lose a key."""
        for _ in range(PATIENCE):
            self.terminal.sendeof()
            if self.terminal.expect([pexpect.EOF, pexpect.TIMEOUT], timeout=1) == 0:
                return
        raise AssertionError("the session does not end")


@pytest.fixture
def person(tmp_path):
    """Give somebody who has opened the shell."""
    somebody = Person(tmp_path)
    yield somebody
    if somebody.terminal.isalive():
        somebody.terminal.kill(signal.SIGKILL)
        somebody.terminal.wait()


def lines_of_the_tutorial() -> list[str]:
    """Return the lines that measure, as the page has them."""
    text = "".join(block.text for block in blocks(ROOT, ROOT / "docs" / "tutorial.md"))
    return [line for line in text.splitlines() if line.startswith(WORDS)]


def test_tutorial_at_the_prompt_then_a_pause_and_ctrl_d(person, tmp_path):
    told = {
        line: person.types(line) for line in lines_of_the_tutorial() if "t1_against" not in line
    }
    spectrum, inertia = (told[line] for line in told if line.startswith(("RE(odmr", "RE(spin")))
    assert "field_2 = " in spectrum and "chi-square per degree of freedom" in spectrum
    assert "t1 = 2" in inertia and " µs" in inertia
    assert not [line for line, answer in told.items() if "Traceback" in answer]
    last = person.types("catalog()[-1]")
    assert "fit spin_inertia of " in last and "    t1 = 2" in last

    person.terminal.sendline("RE(odmr(lockin, magnet, -450, 450, 2000))")
    person.terminal.expect("   3  ")
    person.terminal.sendintr()
    person.terminal.sendintr()
    person.terminal.expect(PROMPT)
    assert "Traceback" not in person.terminal.before
    person.presses_ctrl_d()
    assert person.terminal.wait() == 0
    stops = [documents[-1][1] for documents in map(list, map(read, kept(tmp_path)))]
    (aborted,) = [stop for stop in stops if stop.get("exit_status") == "abort"]
    assert aborted["reason"] == "its session was left"


def kept(home: Path) -> list[Path]:
    """Return the journals of all runs."""
    return [*(home / "journal").glob("*.jsonl"), *(home / "journal" / "shipped").glob("*.jsonl")]


def test_closing_the_window_in_a_plan_ends_the_session(person, tmp_path):
    person.types("%mov rf.output On")
    person.terminal.sendline("RE(odmr(lockin, magnet, -450, 450, 2000))")
    person.terminal.expect("   3  ")
    os.close(person.terminal.child_fd)
    assert person.terminal.wait() == 128 + signal.SIGHUP
    stops = [documents[-1][1] for documents in map(list, map(read, kept(tmp_path)))]
    assert [stop["reason"] for stop in stops] == ["ended by SIGHUP"]
