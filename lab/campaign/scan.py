"""Measurements and series, declared as data: the same whether real, rehearsed or only counted."""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, Protocol

from ...analysis import Curve, Fit, Points

MAIN = "main"  # the bench with the sample under study

Value = float | int | str


class MeasurementError(RuntimeError):
    """A measurement that gave no number."""


class NoFitError(MeasurementError):
    """A run in which no signal stands out; a cell that can do without it may catch this."""


@dataclass(frozen=True)
class Scan:
    """One run, declared.

    Attributes:
        label: What is measured, for people; unique in its campaign.
        plan: Name of the plan, a key of `measure.PLANS`.
        arguments: Of the plan, but for the instruments.
        settings: Of the bench before the run, by device attribute, such as ``rf.frequency`` [GHz].
        wanted: Relative standard error that is asked for, by parameter of the fit. A run that does
            not reach it is measured once more, as much longer as that takes.
        bench: Where it is measured.
    """

    label: str
    plan: str
    arguments: dict[str, Any]
    settings: dict[str, Value]
    wanted: dict[str, float] = field(default_factory=dict)
    bench: str = MAIN


@dataclass(frozen=True)
class Measurement:
    """One run and the fit of it.

    Attributes:
        label: What was measured, for people.
        run: Uid of the run.
        fit_run: Uid of the run of its fit.
        curve: The data of the run.
        fit: The fit of it.
    """

    label: str
    run: str
    fit_run: str
    curve: Curve
    fit: Fit


@dataclass(frozen=True)
class Through:
    """A fit through the numbers of several measurements, declared.

    Attributes:
        model: Name of the model.
        points: The numbers, against what was changed between the runs.
        behind: The measurements.
        options: Of the model.
    """

    model: str
    points: Points
    behind: tuple[Measurement, ...]
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Series:
    """Fitted numbers of several runs, and the fit through them.

    Attributes:
        points: The numbers.
        fit: The fit through them.
        fit_run: Uid of the run of that fit.
        runs: Uids of the runs behind the points.
    """

    points: Points
    fit: Fit
    fit_run: str
    runs: list[str]


Task = Scan | Through
Work = Generator[Task, Any, None]
"""A cell at work: it yields tasks, and is sent what came out of each."""


class Laboratory(Protocol):
    """Where tasks are done: on instruments, or in a rehearsal."""

    def measure(self, scan: Scan) -> Measurement:
        """Do one run and its fit."""
        ...

    def series(self, through: Through) -> Series:
        """Fit a series."""
        ...


def perform(work: Work, lab: Laboratory, begun: Callable[[Task], None] = lambda _: None) -> None:
    """Do what a cell asks for, task by task.

    A run without a signal is an error inside the cell, at the place that asked for it.

    Args:
        work: The cell.
        lab: Where it is done.
        begun: Called before every task.
    """
    outcome: Measurement | Series | None = None
    failure: NoFitError | None = None
    while True:
        try:
            task = work.throw(failure) if failure else work.send(outcome)
        except StopIteration:
            return
        begun(task)
        outcome, failure = None, None
        try:
            outcome = lab.measure(task) if isinstance(task, Scan) else lab.series(task)
        except NoFitError as error:
            failure = error
