"""Fit each run as its start document asks, and put the result on record as a run of its own."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from event_model import DocumentRouter, compose_run, unpack_event_page

from . import models
from .data import Curve, Fit, FitError

Content = Mapping[str, Any]
Document = tuple[str, Content]
"""Name and content, as they travel."""

Before = tuple[Iterable[str], Iterable[Content]]
"""Uids and primary events of runs that were gone on with."""

INHERITED = ("sample", "purpose")
"""What a fit takes over from the start document of its run, to be found by it."""


def curve_of(start: Content, descriptor: Content, events: Iterable[Content]) -> Curve:
    """Read a curve out of the documents of a run.

    Args:
        start: Its `fit_axis` names the column of the independent variable, its `fit_detector` the
            lock-in, whose columns are x, y, x_error, y_error, overload, unlocked, unsettled.
        descriptor: Of the stream that holds these columns.
        events: Of that stream, each with its `data`.

    Returns:
        The points that were neither overloaded nor unlocked nor unsettled.
    """
    detector = start.get("fit_detector")
    readings = ("x", "y", "x_error", "y_error", "overload", "unlocked")
    if f"{detector}_unsettled" in descriptor["data_keys"]:  # runs of version 0.1.0 have none
        readings += ("unsettled",)
    columns = [start.get("fit_axis"), *(f"{detector}_{reading}" for reading in readings)]
    missing = [str(column) for column in columns if column not in descriptor["data_keys"]]
    if missing:
        raise FitError(f"run: no column {', '.join(missing)}; needs these to fit")
    rows = [[event["data"][column] for column in columns] for event in events]
    try:
        table = np.array(rows, dtype=float).reshape(-1, len(columns))
    except (TypeError, ValueError) as error:
        raise FitError(f"run: {error}; needs numbers in {', '.join(columns)}") from error
    good = (table[:, 5:] == 0).all(axis=1)
    if not good.any():
        raise FitError(
            f"run: {good.size} points, none without overload, unlocked or unsettled; needs some"
        )
    axis, x, y, x_error, y_error = table[good, :5].T
    return Curve(axis, x + 1j * y, x_error + 1j * y_error)


def fit_documents(
    fit: Fit, analysis_of: Iterable[str], md: dict | None = None, points_left_out: int = 0
) -> Iterator[Document]:
    """Compose the run that holds a fit.

    Args:
        fit: The result.
        analysis_of: Uids of the runs (raw data or fits) that it was made from.
        md: More metadata for the start document.
        points_left_out: Number of points that were flagged and so not fitted.
    """
    numbers = _numbers(fit)
    about = _about(fit.model, fit.version, analysis_of) | {
        "model_options": fit.options,
        "parameters": list(fit.values),
        "result": numbers,
    }
    bundle = compose_run(metadata=(md or {}) | about)
    yield "start", bundle.start_doc
    data = numbers | {
        "covariance": fit.covariance.tolist(),
        "chi_square": fit.chi_square,
        "reduced_chi_square": fit.reduced_chi_square,
        "degrees_of_freedom": fit.degrees_of_freedom,
        "points_used": fit.points,
        "points_left_out": points_left_out,
        **fit.verdicts,
    }
    stream = bundle.compose_descriptor(
        name="primary",
        data_keys={column: _data_key(fit, column, value) for column, value in data.items()},
        hints={"fit": {"fields": list(fit.values)}},
        object_keys={"fit": list(data)},
    )
    yield "descriptor", stream.descriptor_doc
    time = bundle.start_doc["time"]
    yield "event", stream.compose_event(data=data, timestamps=dict.fromkeys(data, time))
    yield "stop", bundle.compose_stop()


def failed_fit_documents(
    error: FitError, model: str, analysis_of: Iterable[str], md: dict | None = None
) -> Iterator[Document]:
    """Compose the run of a fit that failed: a start, and a stop that says why."""
    version = models.MODELS[model].version if model in models.MODELS else ""
    bundle = compose_run(metadata=(md or {}) | _about(model, version, analysis_of))
    yield "start", bundle.start_doc
    yield "stop", bundle.compose_stop(exit_status="fail", reason=str(error))


def fit_of(documents: Iterable[Document]) -> tuple[dict[str, float], dict[str, float]]:
    """Read values and errors of every parameter back from the documents of a fit.

    Raises:
        FitError: The fit failed; says why.
    """
    parameters, data, reason = [], {}, "no documents of a fit; needs a start and an event"
    for name, doc in documents:
        if name == "start":
            parameters = doc.get("parameters", [])
        elif name == "event":
            data = doc["data"]
        elif name == "stop":
            reason = doc.get("reason") or reason
    if not data:
        raise FitError(reason)
    return (
        {name: data[name] for name in parameters},
        {name: data[f"{name}_error"] for name in parameters},
    )


@dataclass
class _Run:
    """A run on its way: its start, the descriptors of its primary stream, its events by number."""

    start: Content
    earlier: Before = ((), ())  # uids and events of what it goes on with
    descriptors: list[Content] = field(default_factory=list)
    # By sequence number, so that documents replayed from a journal change nothing.
    events: dict[int, Content] = field(default_factory=dict)


class FitRun(DocumentRouter):
    """Collect runs, any number at a time, and fit each that asks for it when it has ended well.

    The start document of a run says how: `fit` names the model, `fit_axis` and `fit_detector` the
    columns, `fit_options` the options. The documents of the fit go to `publish(name, doc)` one by
    one. A fit that fails is published too: no data raise an error here.

    Args:
        publish: Called with every document of a fit.
        before: Called with the uid of a run that another `resumes`; returns the uids of that and of
            what it resumed itself, and all their primary events, to be fitted together.
    """

    def __init__(
        self,
        publish: Callable[[str, Content], None],
        before: Callable[[str], Before] = lambda _: ((), ()),
    ):
        super().__init__()
        self._publish, self._before = publish, before
        self._runs: dict[str, _Run] = {}
        self._streams: dict[str, _Run] = {}

    def start(self, doc):
        if doc.get("fit"):
            earlier = self._before(doc["resumes"]) if "resumes" in doc else ((), ())
            self._runs.setdefault(doc["uid"], _Run(doc, earlier))

    def descriptor(self, doc):
        run = self._runs.get(doc["run_start"])
        if run and doc.get("name") == "primary":
            run.descriptors.append(doc)
            self._streams[doc["uid"]] = run

    def event(self, doc):
        if run := self._streams.get(doc["descriptor"]):
            run.events[doc["seq_num"]] = doc

    def event_page(self, doc):
        for event in unpack_event_page(doc):
            self.event(event)

    def stop(self, doc):
        if run := self._runs.pop(doc["run_start"], None):
            for descriptor in run.descriptors:
                self._streams.pop(descriptor["uid"], None)
            if doc["exit_status"] == "success":
                for name, document in _documents_of(run):
                    self._publish(name, document)


def _documents_of(run: _Run) -> list[Document]:
    """Fit a finished run."""
    uids, carried = run.earlier
    start, events = run.start, [*carried, *run.events.values()]
    analysis_of = [*uids, start["uid"]]
    md = {key: start[key] for key in INHERITED if key in start}
    try:
        if not run.descriptors:
            raise FitError("run: no primary stream; needs one to fit")
        curve = curve_of(start, run.descriptors[0], events)
        options = start.get("fit_options", {})
        if not isinstance(options, Mapping):
            raise FitError(f"run: fit_options={options!r}; needs names with values")
        fit = models.fit(start["fit"], curve, **options)
    except FitError as error:
        return list(failed_fit_documents(error, start["fit"], analysis_of, md))
    return list(fit_documents(fit, analysis_of, md, points_left_out=len(events) - len(curve)))


def _about(model: str, version: str, analysis_of: Iterable[str]) -> dict:
    """Say in the start document of a fit what it is."""
    return {
        "technique": "fit",
        "analysis_of": list(analysis_of),
        "model": model,
        "model_version": version,
    }


def _numbers(fit: Fit) -> dict[str, float]:
    """List every parameter with its error, and its interval where that is lopsided."""
    numbers = {}
    for name, value in fit.values.items():
        numbers |= {name: value, f"{name}_error": fit.errors[name]}
    for name, (low, high) in fit.intervals.items():
        numbers |= {f"{name}_low": low, f"{name}_high": high}
    return numbers


def _data_key(fit: Fit, column: str, value: float | list) -> dict:
    """Describe one column of the event of a fit."""
    parameter = re.sub("_(error|low|high)$", "", column)
    kind = {float: "number", int: "integer", list: "array"}[type(value)]
    return {
        "source": f"fit:{fit.model}",
        "dtype": kind,
        "shape": list(np.shape(value)),
        "units": fit.units.get(parameter, ""),
    }
