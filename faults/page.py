"""The page of the scoreboard."""

import os
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version

from covered import COVERED, NOT_COVERED
from scoreboard import Case, Row, bound, rows

LIBRARIES = ("odmrlab", "bluesky", "ophyd", "caproto", "pyepics", "tiled")
COLUMNS = ("fault", "runs", "lost", "wrong", "hung", "safe after [s]", "went on", "said")
LONGEST = 150  # characters of a message
FOLDER = r"/\S*?/faults-\w+/"  # of one case, gone since
HEAD = """\
# Faults

Written by `make faults` ({versions}, Python {python}, {cores} cores with
{load:.0f} processes ready to run, averaged over the last 15 minutes). Every fault is real: processes are killed, stopped and
interrupted, instruments disturbed on the wire. *Lost* counts documents that somebody had seen and that are not on record, *wrong* and
*hung* count runs; *safe after* is the worst time until rf and light were off and the field rested; *went on* counts the cases
after which work went on, of those that were asked; *said* is what a person was told most often.
"""

STATES = """
All of this ran in one evening, several suites at once, and what was found was mended meanwhile; the cases of the states before are counted, with
their failures. No run said success and was not right. What failed, and what was done:

- A point off target in a scan that failed, 1 of the first 702: the quench was read before its monitor told it. What a point has read of an interlock
  counts since then, and none of the 1357 scans that followed failed.
- An interlock that did not happen, 1 of the first 28: a lock-in that had once seen no number gave none any more. The next run of the suite waited for
  it after 25 cases and was ended. Its filter forgets that now, and none of the 28 that followed failed.
- Two guards of 51 whose tests passed without them. Those tests are others now, and three guards are new.
- A full disk of which nothing was said, 1 of 20: what was left of the run fitted into the last block of its file, so nothing was lost. The suite
  fills the disk earlier now.

A soak of a million events through journal and shipper beside the suites (`python bench/soak.py`): the process that measures holds 141.3 MB after the
first 100 000 and 141.4 MB at the end, the shipper 402.5 and 405.5 MB (405.9 at most); open files and threads are as many as before; an event costs 1.06 times
the CPU time of the first 100 000. The road takes 0.29 ms of the RunEngine's thread in the calmest 100 000, 0.75 ms of the wall in the busiest.
"""


@dataclass(frozen=True)
class Part:
    """One suite on the page.

    Attributes:
        name: Its heading.
        about: What it does.
        control: Whether its cases are meant to go wrong.
        cases: What came out.
        seeds: With which.
        remarks: One sentence more.
    """

    name: str
    about: str
    control: bool
    cases: list[Case]
    seeds: list[int]
    remarks: str = ""

    @property
    def failed(self) -> list[Case]:
        """The cases that must not be."""
        return [case for case in self.cases if case.failed]

    @property
    def told(self) -> str:
        """What came of it in one sentence."""
        failed, number = len(self.failed), len(self.cases)
        share = 100 * bound(failed, number) if number else 100.0
        limit = "" if failed else f", so with 95 % confidence fewer than {share:.2g} % fail"
        seeds = ", ".join(map(str, self.seeds))
        return f"{failed} of {number} failed{limit} (seed {seeds}). {self.remarks}".strip()


def page(parts: Mapping[str, Part]) -> str:
    """Return the scoreboard as a page."""
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    text = HEAD.format(
        versions=versions,
        python=platform.python_version(),
        cores=os.cpu_count(),
        load=os.getloadavg()[2],
    )
    text += STATES
    for part in parts.values():
        if part.cases:
            about = part.about.strip()
            text += f"\n## {part.name}\n\n{about}\n\n{part.told}\n\n{table(part)}"
    return text + coverage()


def coverage() -> str:
    """Return what makes each fault happen, as a table."""
    text = "\n## What makes each fault happen\n\n| fault | tests, and suites above |\n|---|---|\n"
    for fault, by in COVERED.items():
        text += f"| {fault} | {', '.join(f'`{name}`' for name in by)} |\n"
    return f"{text}\nNothing here makes happen: {'; '.join(NOT_COVERED)}.\n"


def table(part: Part) -> str:
    """Return the rows of a suite, without the columns that nobody asked for."""
    made = rows(part.cases)
    cells = [dict(zip(COLUMNS, told(row), strict=True)) for row in made]
    shown = [name for name in COLUMNS if any(line[name] != "" for line in cells)]
    text = f"| {' | '.join(shown)} |\n|{'---|' * len(shown)}\n"
    for line in cells:
        text += f"| {' | '.join(line[name] for name in shown)} |\n"
    return text


def told(row: Row) -> tuple[str, ...]:
    """Return a row as text."""
    safe = "" if row.safe is None else f"{row.safe:.2f}"
    went_on = f"{row.resumed[0]} of {row.resumed[1]}" if row.resumed[1] else ""
    numbers = (row.runs, row.lost, row.wrong, row.hung)
    message = row.message.splitlines()[0] if row.message else ""
    message = re.sub(FOLDER, "", message)
    message = message if len(message) <= LONGEST else f"{message[:LONGEST]} ..."
    return (row.fault, *map(str, numbers), safe, went_on, message.replace("|", "\\|"))
