"""Fit what the runs of a series have found, once the last of them is fitted."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from event_model import DocumentRouter

from . import models
from .data import FitError, Points
from .fit_run import failed_fit_documents, fit_documents
from .series import rates

Content = Mapping[str, Any]


@dataclass
class _Series:
    """A series on its way: where its runs stand, and what their fits found, by run."""

    about: Content
    places: dict[str, float] = field(default_factory=dict)
    found: dict[str, tuple[float, float] | None] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        return len(self.found) == self.about["length"]


class FitSeries(DocumentRouter):
    """Collect the fits of runs that belong to a series, and fit their numbers when all are there.

    The start document of a run says so: `series` holds uid and length of the series, the value at
    which this run stands, the parameter of its fit that counts, and the model through all of them.
    T1 enters as its rate. Runs without a fit are left out; the documents go to `publish(name, doc)`.
    """

    def __init__(self, publish: Callable[[str, Content], None]):
        super().__init__()
        self._publish = publish
        self._series: dict[str, _Series] = {}
        self._by_run: dict[str, _Series] = {}
        self._fits: dict[str, Content] = {}

    def start(self, doc):
        if about := doc.get("series"):
            if about.get("model"):
                series = self._series.setdefault(about["uid"], _Series(about))
                series.places[doc["uid"]] = about["value"]
                self._by_run[doc["uid"]] = series
        elif doc.get("technique") == "fit" and (doc.get("analysis_of") or [""])[0] in self._by_run:
            self._fits[doc["uid"]] = doc

    def stop(self, doc):
        run = doc["run_start"]
        if (fitted := self._fits.pop(run, None)) is not None:
            self._take(fitted["analysis_of"][0], fitted.get("result"))
        elif run in self._by_run and doc["exit_status"] != "success":
            self._take(run, None)

    def _take(self, run: str, result: Content | None) -> None:
        series = self._by_run.pop(run)
        name = series.about["parameter"]
        series.found[run] = (result[name], result[f"{name}_error"]) if result else None
        if series.complete:
            del self._series[series.about["uid"]]
            for name, document in _documents_of(series):
                self._publish(name, document)


def _documents_of(series: _Series) -> list[tuple[str, Content]]:
    """Fit a complete series."""
    about, md = series.about, {"series": {"uid": series.about["uid"]}}
    good = {run: numbers for run, numbers in series.found.items() if numbers}
    try:
        if not good:
            raise FitError("series: none of its runs was fitted; needs some")
        places = np.array([series.places[run] for run in good])
        values, errors = np.transpose(list(good.values()))
        t1 = about["parameter"] == "t1"
        points = rates(places, values, errors) if t1 else Points(places, values, errors)
        fitted = models.fit(about["model"], points, **about["model_options"])
    except FitError as error:
        return list(failed_fit_documents(error, about["model"], list(series.found), md))
    return list(fit_documents(fitted, list(good), md, len(series.found) - len(good)))
