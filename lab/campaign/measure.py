"""Tasks done on instruments, through the RunEngine, with everything on record."""

import time
from collections.abc import Callable, Generator, Mapping
from operator import attrgetter
from typing import Any

import bluesky.plan_stubs as bps
import bluesky.plans as bp
import numpy as np
from bluesky.run_engine import RunEngine, RunEngineResult
from bluesky.utils import RunEngineInterrupted

from ...analysis import FitError, fit
from ...analysis.fit_run import fit_documents
from ...plans import blank, harmonics, odmr, spin_inertia
from ..session import Instruments, Session
from .ledger import Ledger, Records
from .paper import START
from .preflight import Pace
from .rehearsal import AXES, longer, shortfall
from .scan import MAIN, Measurement, MeasurementError, NoFitError, Scan, Series, Through, Value

Plan = Callable[..., Generator]
PLANS: dict[str, Callable[[Instruments], tuple[Any, ...]]] = {
    "odmr": lambda bench: (odmr, bench.lockin, bench.magnet),
    "spin_inertia": lambda bench: (spin_inertia, bench.lockin, bench.rf.modulation_frequency),
    "harmonics": lambda bench: (
        harmonics,
        bench.lockin,
        bench.lockin.harmonic,
        bench.rf.modulation_frequency,
    ),
    "blank": lambda bench: (
        blank,
        bench.lockin,
        bench.rf.modulation_frequency,
        bench.laser.shutter,
    ),
}

PROBES, READINGS = 4, 40  # runs before a campaign, and readings of each
PACE: dict[str, Value] = {
    "lockin.integration_time": 1e-3,
    "magnet.field": 0.0,
}


class Campaign:
    """Measures what is asked for, unless that was done before, and fits it.

    Args:
        sessions: By bench.
        records: A consumer of the documents of all of them.
        ledger: Of what is measured already.
    """

    def __init__(self, sessions: Mapping[str, Session], records: Records, ledger: Ledger):
        self._sessions, self._records, self._ledger = sessions, records, ledger
        self._held: dict[str, dict[str, Value]] = {name: {} for name in sessions}

    @property
    def benches(self) -> list[str]:
        """Where is measured."""
        return list(self._sessions)

    @property
    def engines(self) -> list[RunEngine]:
        """What runs the plans, one a bench."""
        return [session.RE for session in self._sessions.values()]

    def drain(self) -> None:
        """Wait until every document is on its way into the catalogue."""
        for session in self._sessions.values():
            session.road.drain()

    def close(self) -> None:
        """End the sessions."""
        for session in self._sessions.values():
            session.close()

    def pace(self, speed: float) -> Pace:
        """Time short runs: what the computers take beside the laboratory's time.

        The last counts, for only then is the catalogue as busy as it will be.

        Args:
            speed: Laboratory seconds per second.
        """
        session = self._sessions[MAIN]
        bench, fields = session.instruments, np.linspace(0, 0.1, READINGS).tolist()
        md = {"purpose": "preflight", "campaign": self._ledger.campaign}
        for number in range(PROBES):
            began = time.monotonic()
            self.configure(MAIN, START | PACE | {"rf.modulation_frequency": 3000.0 + number})
            plan = bp.list_scan([bench.lockin], bench.magnet, fields, md=md)
            (run, *_) = self._run(MAIN, plan).run_start_uids
            self._held[MAIN].pop("magnet.field")  # by the plan
            session.road.drain()
            took = time.monotonic() - began
        events = self._records.events[self._records.descriptors[run]["uid"]]
        each = float(np.mean(np.diff([event["time"] for event in events])))
        waiting = bench.lockin.reading_time.get() / speed
        return Pace(speed, max(0.0, each - waiting), max(0.0, took - each * READINGS))

    def configure(self, bench: str, settings: Mapping[str, Value]) -> None:
        """Move what is not there yet, and wait until all of it is."""
        held = self._held[bench]
        missing = {name: value for name, value in settings.items() if held.get(name) != value}
        instruments = self._sessions[bench].instruments
        moves = [part for n, v in missing.items() for part in (attrgetter(n)(instruments), v)]
        if moves:
            self._run(bench, bps.mv(*moves))
        held |= missing

    def measure(self, scan: Scan) -> Measurement:
        """Do one run and its fit; measure longer where it is not as precise as wanted.

        Raises:
            MeasurementError: When the fit failed, with the reason.
        """
        session = self._sessions[scan.bench]
        records = self._ledger.recall(scan.label, session.settings.journal)
        if records is not None:
            run, fit_run = self._ledger.runs[scan.label]
        else:
            try:
                records, (run, fit_run) = self._records, self._take(scan)
            except NoFitError:
                if not scan.wanted:
                    raise
                return self.measure(longer(scan))
        start, curve = records.starts[run], records.curve(run)
        fitted = fit(start["fit"], curve, **start["fit_options"])
        measured = Measurement(scan.label, run, fit_run, curve, fitted)
        ratio = shortfall(measured, scan)
        return self.measure(longer(scan, ratio)) if ratio > 1 else measured

    def _take(self, scan: Scan) -> tuple[str, str]:
        """Return the uids of a run and of its fit."""
        session = self._sessions[scan.bench]
        self.configure(scan.bench, START | scan.settings)
        plan, *devices = PLANS[scan.plan](session.instruments)
        md = {"campaign": self._ledger.campaign, "label": scan.label}
        (run, *_) = self._run(scan.bench, plan(*devices, **scan.arguments, md=md)).run_start_uids
        for moved in AXES[scan.plan]:
            self._held[scan.bench].pop(moved, None)  # by the plan
        session.road.drain()
        fit_run = self._records.fit_of(run)
        stop = self._records.stops[fit_run]
        if stop["exit_status"] != "success":
            raise NoFitError(
                f"{scan.label}: run {run} was measured, its fit failed: {stop['reason']}"
            )
        self._ledger.note(scan.label, run, fit_run)
        return run, fit_run

    def _run(self, bench: str, plan: Generator) -> RunEngineResult:
        engine = self._sessions[bench].RE
        try:
            return engine(plan)
        except (RunEngineInterrupted, KeyboardInterrupt):
            raise MeasurementError(
                "interrupted; what was measured is kept, and the same command goes on from there"
            ) from None

    def series(self, through: Through) -> Series:
        """Fit a number of several measurements against what was changed between them.

        Raises:
            MeasurementError: When the fit failed, with the reason.
        """
        runs = [measurement.run for measurement in through.behind]
        try:
            fitted = fit(through.model, through.points, **through.options)
        except FitError as error:
            raise MeasurementError(f"{through.model} of {len(runs)} runs: {error}") from error
        md = {"campaign": self._ledger.campaign}
        documents = list(fit_documents(fitted, runs, md))
        for name, doc in documents:
            self._sessions[MAIN].road(name, doc)
        return Series(through.points, fitted, documents[0][1]["uid"], runs)
