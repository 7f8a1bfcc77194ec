"""The scoreboard: what came of every fault, one shape for all suites.

A suite is a module of this folder with a docstring, which the page quotes, and

    NAME                  its heading
    NUMBER                cases that ``make faults`` runs of it
    run(number, seed)     yields one `Case` after another

and perhaps ``remarks(cases)``, a sentence more for the page. Its name goes into ``SUITES``. Each suite runs in a process of its own, for Channel Access clients read
the address of their IOC once. A suite whose cases are meant to go wrong has ``CONTROL = True``.
"""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from math import exp, log
from pathlib import Path
from typing import Any

SUITES = (
    "scans",
    "control",
    "kills",
    "signals",
    "restarts",
    "restarts_pyepics",
    "interlocks",
    "data_path",
    "data_path_control",
    "mutations",
)


@dataclass(frozen=True)
class Case:
    """One fault that happened once.

    Attributes:
        fault: What happened; cases of the same fault share a row.
        lost: Number of documents that were seen and are not on record.
        wrong: What is wrong with what is on record or left behind; empty when nothing is.
        hung: Whether something did not end that had to.
        safe: Time until the bench was safe [s]; None where that was not asked.
        resumed: Whether work went on afterwards; None where that was not asked.
        message: What a person was told.
        facts: Whatever else is worth keeping, plain JSON.
    """

    fault: str
    lost: int = 0
    wrong: str = ""
    hung: bool = False
    safe: float | None = None
    resumed: bool | None = None
    message: str = ""
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """Whether this is what must not be."""
        return bool(self.lost or self.wrong or self.hung or self.resumed is False)


@dataclass(frozen=True)
class Row:
    """All cases of one fault.

    Attributes:
        fault: What happened.
        runs: How often.
        lost: Documents, all in all.
        wrong: Cases in which something was wrong.
        hung: Cases that did not end.
        safe: Worst time until the bench was safe [s]; None where that was not asked.
        resumed: Cases after which work went on, of how many.
        message: That a person was told most often.
    """

    fault: str
    runs: int
    lost: int
    wrong: int
    hung: int
    safe: float | None
    resumed: tuple[int, int]
    message: str


def rows(cases: Iterable[Case]) -> list[Row]:
    """Return the rows of the scoreboard, sorted by fault."""
    by_fault: dict[str, list[Case]] = {}
    for case in cases:
        by_fault.setdefault(case.fault, []).append(case)
    return [row(fault, by_fault[fault]) for fault in sorted(by_fault)]


def row(fault: str, cases: list[Case]) -> Row:
    """Return what came of one fault."""
    times = [case.safe for case in cases if case.safe is not None]
    asked = [case.resumed for case in cases if case.resumed is not None]
    told = Counter(case.message for case in cases if case.message).most_common(1)
    return Row(
        fault=fault,
        runs=len(cases),
        lost=sum(case.lost for case in cases),
        wrong=sum(bool(case.wrong) for case in cases),
        hung=sum(case.hung for case in cases),
        safe=max(times, default=None),
        resumed=(sum(asked), len(asked)),
        message=told[0][0] if told else "",
    )


def bound(failed: int, number: int) -> float:
    """Return the 95 % bound on the share of failures; with one failure or more, the share itself."""
    return failed / number if failed else 1 - exp(log(0.05) / number)


def append(case: Case, suite: str, seed: int, folder: Path) -> None:
    """Keep a case at once, so that an interruption loses nothing."""
    line = json.dumps({"seed": seed} | asdict(case))
    with (folder / f"{suite}.jsonl").open("a") as file:
        file.write(f"{line}\n")


def kept(suite: str, folder: Path) -> tuple[list[Case], list[int]]:
    """Return the cases of a suite that are kept, and their seeds."""
    path = folder / f"{suite}.jsonl"
    lines = [json.loads(line) for line in path.open()] if path.exists() else []
    seeds = sorted({line.pop("seed") for line in lines})
    return [Case(**line) for line in lines], seeds
