"""Measurements one after another, each with its fit, and what was learned kept by name."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any

import bluesky.plan_stubs as bps
from bluesky.run_engine import RunEngineResult
from bluesky.utils import RunEngineInterrupted
from event_model import DocumentRouter

from ...analysis import Curve, Fit, FitError, Points, fit
from ...analysis.fit_run import curve_of, fit_documents
from ..session import Session


class MeasurementError(RuntimeError):
    """A measurement that gave no number."""


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


@dataclass(eq=False)
class Records(DocumentRouter):
    """The documents of every run of this session, fits too, by the uid of the run."""

    starts: dict[str, dict] = field(default_factory=dict)
    descriptors: dict[str, dict] = field(default_factory=dict)
    events: dict[str, list[dict]] = field(default_factory=dict)
    stops: dict[str, dict] = field(default_factory=dict)

    def start(self, doc):
        self.starts[doc["uid"]] = doc

    def descriptor(self, doc):
        if doc["name"] == "primary":
            self.descriptors[doc["run_start"]] = doc
            self.events[doc["uid"]] = []

    def event(self, doc):
        if doc["descriptor"] in self.events:
            self.events[doc["descriptor"]].append(doc)

    def stop(self, doc):
        self.stops[doc["run_start"]] = doc

    def curve(self, run: str) -> Curve:
        """Return the data of a run."""
        descriptor = self.descriptors[run]
        return curve_of(self.starts[run], descriptor, self.events[descriptor["uid"]])

    def fit_of(self, run: str) -> str:
        """Return the uid of the fit of a run."""
        (uid,) = [uid for uid, doc in self.starts.items() if doc.get("analysis_of") == [run]]
        return uid


class Campaign:
    """Measures with the plans of a session and fits what it measured.

    Args:
        session: Whose RunEngine and instruments are used.
        records: A consumer of the documents of that session.
    """

    def __init__(self, session: Session, records: Records):
        self.session, self.instruments = session, session.instruments
        self._records = records

    def configure(self, *settings: Any) -> None:
        """Move settings, ``motor, value, motor, value, ...``, and wait until all are there."""
        self._run(bps.mv(*settings))

    def measure(self, plan: Generator, label: str) -> Measurement:
        """Run a plan and wait for its fit.

        Raises:
            MeasurementError: When the fit failed, with the reason.
        """
        (run, *_) = self._run(plan).run_start_uids
        self.session.road.drain()
        fit_run = self._records.fit_of(run)
        stop = self._records.stops[fit_run]
        if stop["exit_status"] != "success":
            raise MeasurementError(
                f"{label}: run {run} was measured, its fit failed: {stop['reason']}"
            )
        start, curve = self._records.starts[run], self._records.curve(run)
        fitted = fit(start["fit"], curve, **start["fit_options"])
        return Measurement(label, run, fit_run, curve, fitted)

    def _run(self, plan: Generator) -> RunEngineResult:
        try:
            return self.session.RE(plan)
        except RunEngineInterrupted:
            # Ctrl-C pauses a plan; nobody is here to resume it, so it is closed as aborted
            self.session.RE.abort("interrupted")
            raise MeasurementError("interrupted; what was measured until now is kept") from None

    def series(
        self, model: str, points: Points, behind: Sequence[Measurement], **options: Any
    ) -> Series:
        """Fit a number of several measurements against what was changed between them.

        Raises:
            MeasurementError: When the fit failed, with the reason.
        """
        runs = [measurement.run for measurement in behind]
        try:
            fitted = fit(model, points, **options)
        except FitError as error:
            raise MeasurementError(f"{model} of {len(runs)} runs: {error}") from error
        documents = list(fit_documents(fitted, runs))
        for name, doc in documents:
            self.session.road(name, doc)
        return Series(points, fitted, documents[0][1]["uid"], runs)
