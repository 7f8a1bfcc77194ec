"""One run of the catalogue as a file for other programs: CSV, or NeXus in HDF5."""

import csv
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from bluesky_tiled_plugins import CatalogOfBlueskyRuns
from event_model import DocumentRouter
from tiled.queries import Contains, Key

from ..settings import writable_folder
from .frame import Document


class ExportError(ValueError):
    """A run that cannot be exported to the file asked for."""


@dataclass
class Stream:
    """One stream of a run: its columns, and the settings of the instruments meanwhile."""

    keys: dict[str, dict[str, Any]] = field(default_factory=dict)
    configuration: dict[str, Any] = field(default_factory=dict)
    times: list[float] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)

    def units(self, column: str) -> str:
        """Return the unit of a column, or nothing for a pure number."""
        return self.keys[column].get("units") or ""

    def label(self, column: str) -> str:
        """Return the column with its unit, as `magnet_field [mT]`."""
        return f"{column} [{unit}]" if (unit := self.units(column)) else column

    def values(self, column: str) -> list:
        """Return the column, one value for each event."""
        return [row[column] for row in self.rows]


class Content(DocumentRouter):
    """What a run holds.

    Args:
        documents: From its start to its stop.
    """

    def __init__(self, documents: Iterable[Document]):
        super().__init__()
        self.started: dict[str, Any] = {}
        self.stopped: dict[str, Any] = {}
        self.streams: dict[str, Stream] = {}
        self._by_descriptor: dict[str, Stream] = {}
        for name, document in documents:
            self(name, document)

    def start(self, doc):
        self.started = dict(doc)

    def descriptor(self, doc):
        stream = self.streams.setdefault(doc["name"], Stream())
        stream.keys |= doc["data_keys"]
        stream.configuration |= doc["configuration"]
        self._by_descriptor[doc["uid"]] = stream

    def event(self, doc):
        stream = self._by_descriptor[doc["descriptor"]]
        stream.times.append(doc["time"])
        stream.rows.append(doc["data"])

    def stop(self, doc):
        self.stopped = dict(doc)


def read(client: CatalogOfBlueskyRuns, uid: str) -> tuple[Content, list[Content]]:
    """Read a run with all that it is one with, and every fit that was made from them.

    Args:
        client: The catalogue.
        uid: Of the run, or its first characters.

    Raises:
        ExportError: There is no such run, or more than one.
    """
    try:
        named = client[uid]
    except (KeyError, ValueError) as error:
        raise ExportError(
            f"export: {uid!r} is no run of the catalogue; needs its uid, or the first 5 or more "
            "characters of it that no other run has"
        ) from error
    content = whole(client, Content(latest(client, named).documents()))
    fits = client.search(Contains("analysis_of", content.started["uid"]))
    return content, [Content(fit.documents()) for fit in fits.values()]


def latest(client: CatalogOfBlueskyRuns, run: Any) -> Any:
    """Return the last run that goes on with a run; itself if there is none."""
    while later := list(client.search(Key("resumes") == run.start["uid"]).values()):
        run = later[-1]
    return run


def whole(client: CatalogOfBlueskyRuns, content: Content) -> Content:
    """Put what a run went on with before it: its streams then hold the points of all."""
    if not (before := content.started.get("resumes")):
        return content
    earlier = whole(client, Content(client[before].documents()))
    for name, stream in earlier.streams.items():
        later = content.streams.setdefault(name, Stream(stream.keys, stream.configuration))
        later.times[:0], later.rows[:0] = stream.times, stream.rows
    return content


def export(
    client: CatalogOfBlueskyRuns, uid: str, kind: str, out: Path | None = None, force: bool = False
) -> Path:
    """Write a run to a file, whole or not at all.

    Args:
        client: The catalogue.
        uid: Of the run, or its first characters.
        kind: One of `FORMATS`.
        out: The file, or a folder for a file named after the run (default: the current folder).
        force: Replace a file that is there.

    Returns:
        The file.

    Raises:
        ExportError: No such run, or the file is there.
        UnwritableError: The folder cannot be written.
    """
    write, suffix = FORMATS[kind]
    content, fits = read(client, uid)
    path = out or Path()
    if path.is_dir():
        path /= f"{content.started['uid']}{suffix}"
    if path.exists() and not force:
        raise ExportError(f"export: {path} is there already; needs another --out, or --force")
    writable_folder(path.parent, "export")
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write(draft, content, fits)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return path


def write_csv(path: Path, content: Content, fits: list[Content]) -> None:
    """Write the primary stream as CSV; all else of one number or word goes into lines with a #.

    Columns that hold arrays are named and left out.
    """
    primary = content.streams.get("primary", Stream())
    flat = [column for column, key in primary.keys.items() if not key["shape"]]
    lines = [f"odmrlab {version('odmrlab')}", f"start {as_json(content.started)}"]
    lines += [f"stop {as_json(content.stopped)}"]
    for name, stream in content.streams.items():
        if name != "primary":
            lines += [
                f"{name} {stream.label(column)}: {', '.join(map(str, stream.values(column)))}"
                for column in stream.keys
            ]
    for fit in fits:
        lines += [f"fit {fit.started['model']} {fit.started['uid']}: {told(fit)}"]
    if left_out := [column for column in primary.keys if column not in flat]:
        lines += [f"left out, for they hold arrays: {', '.join(left_out)}"]
    with path.open("w", encoding="utf-8", newline="") as file:
        file.writelines(f"# {line}\n" for line in lines)
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["time [s]", *map(primary.label, flat)])
        for time, row in zip(primary.times, primary.rows, strict=True):
            table.writerow([time, *(row[column] for column in flat)])


def told(fit: Content) -> str:
    """Tell the parameters of a fit with their errors, or why it failed."""
    result = fit.started.get("result")
    if result is None:
        return fit.stopped.get("reason", "")
    (stream,) = fit.streams.values()
    return ", ".join(
        f"{name} = {result[name]:.6g} ± {result[f'{name}_error']:.2g} {stream.units(name)}".rstrip()
        for name in fit.started["parameters"]
    )


def write_nexus(path: Path, content: Content, fits: list[Content]) -> None:
    """Write all streams as NXdata and all fits as NXprocess of one NXentry, in HDF5."""
    started, stopped = content.started, content.stopped
    with h5py.File(path, "w") as file:
        file.attrs.update(NX_class="NXroot", default="entry", creator="odmrlab")
        entry = group(file, "entry", "NXentry")
        entry["title"] = " ".join(
            str(started[key]) for key in ("plan_name", "sample", "purpose") if started.get(key)
        )
        entry["entry_identifier"] = started["uid"]
        entry["start_time"] = iso(started["time"])
        if "time" in stopped:
            entry["end_time"] = iso(stopped["time"])
        entry["program_name"] = "odmrlab"
        entry["program_name"].attrs["version"] = version("odmrlab")
        for name, document in (("start", started), ("stop", stopped)):
            note = group(entry, name, "NXnote")
            note["type"], note["data"] = "application/json", as_json(document)
        for name, stream in content.streams.items():
            write_stream(entry, name, stream, started)
        if "primary" in entry:
            entry.attrs["default"] = "primary"
        for number, fit in enumerate(fits, 1):
            write_fit(entry, f"fit_{number}", fit)


def write_stream(entry: h5py.Group, name: str, stream: Stream, started: dict[str, Any]) -> None:
    """Write a stream; the primary one of a run to be fitted says what to plot against what."""
    axis, detector = started.get("fit_axis"), started.get("fit_detector")
    plotted = [f"{detector}_{reading}" for reading in ("x", "y")]
    to_be_plotted = name == "primary" and {axis, *plotted} <= set(stream.keys)
    place = group(entry, name, "NXdata" if to_be_plotted else "NXcollection")
    if to_be_plotted:
        place.attrs.update({"signal": plotted[0], "auxiliary_signals": plotted[1:]})
        place.attrs.update({"axes": [axis], f"{axis}_indices": 0})
    for column in stream.keys:
        write_column(place, column, stream.values(column), stream.units(column))
    write_column(place, "time", stream.times, "s")
    if stream.configuration:
        place["configuration"] = as_json(stream.configuration)


def write_fit(entry: h5py.Group, name: str, fit: Content) -> None:
    """Write a fit with its parameters and errors, or the reason of its failure."""
    process = group(entry, name, "NXprocess")
    process["program"], process["version"] = fit.started["model"], fit.started["model_version"]
    process["date"], process["entry_identifier"] = iso(fit.started["time"]), fit.started["uid"]
    process["start"] = as_json(fit.started)
    if reason := fit.stopped.get("reason"):
        process["reason"] = reason
    for stream in fit.streams.values():
        for row in stream.rows:
            for column, value in row.items():
                write_column(process, column, value, stream.units(column))


def write_column(place: h5py.Group, column: str, values: Any, units: str) -> None:
    """Write values with their unit; standard errors get the name that NeXus has for them, too."""
    array = np.asarray(values)
    if array.dtype.kind == "U":  # fixed-width words of numpy, which HDF5 does not have
        array = array.astype(h5py.string_dtype())
    place[column] = array
    if units:
        place[column].attrs["units"] = units
    if column.endswith("_error"):
        place[f"{column}s"] = place[column]


def group(parent: h5py.Group, name: str, kind: str) -> h5py.Group:
    """Make a group of a NeXus class."""
    made = parent.create_group(name)
    made.attrs["NX_class"] = kind
    return made


def iso(seconds: float) -> str:
    """Return a time of the epoch as ISO 8601, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def as_json(document: dict[str, Any]) -> str:
    """Return a document in one line."""
    return json.dumps(document, ensure_ascii=False)


FORMATS = {"csv": (write_csv, ".csv"), "nexus": (write_nexus, ".nxs")}
"""What writes a format, and how the names of its files end."""
