"""What a person sees while a run is measured: a table, with the fit so far in its last column."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from event_model import DocumentRouter

from ..analysis import FitError, fit
from ..analysis.fit_run import curve_of
from .numbers import brief, told

NARROWEST = 14  # characters of a column
DOUBTFUL = 1e-3  # probability of a chi-square this large, if the model were true
MAIN = {"odmr": "field", "spin_inertia": "t1"}  # parameter shown while measuring
DARK = {"rf_output": "Off", "laser_shutter": "Closed"}  # then there is no resonance to be seen
FAST = 10e3  # Hz; beyond it spins of 100 µs show a sixth of their signal, and less


class LiveTable(DocumentRouter):
    """Prints every event of the primary stream as a row; a consumer of documents, off the scan.

    Args:
        write: Prints one line.
        fit_share: Of the time at most goes into fits on the way.
    """

    def __init__(self, write: Callable[[str], Any] = print, fit_share: float = 0.1):
        super().__init__()
        self._write, self._fit_share = write, fit_share
        self._start: dict[str, Any] = {}
        self._fit: dict[str, Any] = {}
        self._fit_descriptor: dict[str, Any] = {}
        self._descriptor: dict[str, Any] = {}
        self._baseline = ""
        self._events: list[dict] = []
        self._next_fit = 0.0

    def start(self, doc):
        if doc.get("technique") == "fit":
            self._fit = doc
            return
        self._start, self._descriptor, self._events, self._next_fit = doc, {}, [], 0.0
        self._write(f"run {doc['scan_id']}, {doc.get('plan_name', 'no plan')}, {doc['uid']}")

    def descriptor(self, doc):
        if doc["run_start"] == self._fit.get("uid"):
            self._fit_descriptor = doc
            return
        if doc["run_start"] != self._start.get("uid"):
            return
        if doc["name"] == "baseline":
            self._baseline = doc["uid"]
        if doc["name"] != "primary":
            return
        self._descriptor = doc
        keys, units = self._columns(), doc["data_keys"]
        self._write(self._row("point", keys))
        self._write(self._row("", [units[key].get("units") or "" for key in keys]))

    def event(self, doc):
        if doc["descriptor"] == self._fit_descriptor.get("uid"):
            told = told_of_run(self._fit_descriptor, doc["data"], self._fit["parameters"])
            self._write(f"fit {self._fit['model']}, {self._fit['uid']}\n{told}")
        if doc["descriptor"] == self._baseline and doc["seq_num"] == 1:
            self._tell_of_the_dark(doc["data"])
        if doc["descriptor"] != self._descriptor.get("uid"):
            return
        self._events.append(doc)
        cells = [f"{doc['data'][key]:.6g}" for key in self._columns()]
        self._write(f"{self._row(str(doc['seq_num']), cells)}  {self._fit_so_far()}".rstrip())

    def stop(self, doc):
        if doc["run_start"] == self._start.get("uid") and doc["exit_status"] != "success":
            self._write(f"run ended with {doc['exit_status']}: {doc.get('reason') or 'no reason'}")
        elif doc["exit_status"] == "fail" and doc["run_start"] != self._start.get("uid"):
            self._write(f"no fit: {doc['reason']}")

    def _tell_of_the_dark(self, bench: dict[str, Any]) -> None:
        off = [
            f"{name.replace('_', '.')} is {state}"
            for name, state in DARK.items()
            if bench.get(name) == state
        ]
        if off and self._start.get("fit") in MAIN:
            self._write(f"attention: {', '.join(off)}; there is no signal but noise")
        frequency = bench.get("rf_modulation_frequency", 0.0)
        if self._start.get("fit") == "odmr" and frequency > FAST:
            self._write(
                f"attention: rf.modulation_frequency is {frequency:g} Hz; slow spins do not follow"
            )

    def _columns(self) -> list[str]:
        dimensions = self._start.get("hints", {}).get("dimensions") or [((), "primary")]
        scanned = dimensions[0][0]
        hinted = [key for hint in self._descriptor["hints"].values() for key in hint["fields"]]
        numbers = self._descriptor["data_keys"]
        shown = dict.fromkeys([*scanned, *hinted])
        return [key for key in shown if numbers.get(key, {}).get("dtype") in ("number", "integer")]

    def _row(self, number: str, cells: list[str]) -> str:
        widths = [max(len(key) + 2, NARROWEST) for key in self._columns()]
        return f"{number:>5}" + "".join(
            f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True)
        )

    def _fit_so_far(self) -> str:
        model = self._start.get("fit")
        if model not in MAIN or time.monotonic() < self._next_fit:
            return ""
        began = time.monotonic()
        try:
            curve = curve_of(self._start, self._descriptor, self._events)
            fitted = fit(model, curve, **self._start.get("fit_options", {}))
        except FitError:
            return ""  # too early to say
        finally:
            took = time.monotonic() - began
            self._next_fit = began + took / self._fit_share
        name = MAIN[model]
        return brief(name, fitted.values[name], fitted.errors[name], fitted.units[name])


def told_of_run(descriptor: dict[str, Any], data: dict[str, Any], names: list[str]) -> str:
    """Return what a run of a fit holds: every parameter, and whether the model describes the data."""
    numbers = told_numbers(descriptor["data_keys"], data, names)
    verdict = f"chi-square per degree of freedom {data['reduced_chi_square']:.2f}"
    if data["chi_square_p"] < DOUBTFUL:
        verdict += ": the model does not describe these data"
    return "\n".join(f"    {line}" for line in [*numbers, verdict])


def told_numbers(
    data_keys: Mapping[str, Any], data: Mapping[str, Any], names: Iterable[str]
) -> list[str]:
    """Return every parameter of a fit with its error and unit."""
    return [
        told(name, data[name], data[f"{name}_error"], data_keys[name].get("units") or "")
        for name in names
    ]
