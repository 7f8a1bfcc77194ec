"""Each guard is taken out of a copy of this package in turn, and a test that names it must fail.

The tests pass in the copy as it is. Wrong is a guard without which its test passes.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from guards import GUARDS, Guard
from scoreboard import Case

NAME = "Guards removed"
NUMBER = len(GUARDS)
ROOT = Path(__file__).parent.parent
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", "out", "build", "dist", "*.egg-info", "__pycache__"
)
LONGEST = 300.0  # s for one test
PASSED, FAILED = 0, 1  # exit statuses of pytest


def run(number: int, seed: int) -> Iterator[Case]:
    """Yield so many guards, beginning with the one of this seed."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "odmrlab"
        shutil.copytree(ROOT, copy, ignore=LEFT_OUT)
        for n in range(number):
            yield case(copy, GUARDS[(seed - 1 + n) % len(GUARDS)])


def case(copy: Path, guard: Guard) -> Case:
    """Take one guard away, run its test, and put it back."""
    path = copy / guard.file
    whole = path.read_text()
    if (status := tested(copy, guard.test)[0]) != PASSED:
        return Case(guard.name, wrong=f"with it {guard.test} ends with {status}")
    try:
        path.write_text(without(guard, whole))
        status, said = tested(copy, guard.test)
    finally:
        path.write_text(whole)
    caught = "" if status == FAILED else f"{guard.test} ends with {status}"
    return Case(
        guard.name, wrong=caught, message=guard.test, facts={"file": guard.file, "said": said}
    )


def without(guard: Guard, text: str) -> str:
    """Return the text of a file without a guard.

    Raises:
        ValueError: When the guard is not there exactly as it is described.
    """
    for before, after in guard.changes:
        if text.count(before) != 1:
            found = f"{guard.file} has {text.count(before)} times {before!r}"
            raise ValueError(f"guards: {guard.name}: {found}; needs it once")
        text = text.replace(before, after)
    return text


def tested(copy: Path, test: str) -> tuple[int | None, str]:
    """Run a test in the copy; returns its exit status, None where it hangs, and its last line."""
    words = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", test]
    env = os.environ | {"PYTHONPATH": str(copy.parent), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(  # noqa: S603
            words, cwd=copy, env=env, capture_output=True, text=True, check=False, timeout=LONGEST
        )
    except subprocess.TimeoutExpired:
        return None, "no end"
    return done.returncode, (done.stdout.strip().splitlines() or [""])[-1]
