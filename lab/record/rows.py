"""Writing the rows of a run into the catalogue, and comparing them with the journal."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from bluesky_tiled_plugins.writing.tiled_writer import (
    RESERVED_DATA_KEYS,
    RunNormalizer,
    _RunWriter,
)
from event_model import DocumentNames, unpack_event_page
from tiled.client.array import ArrayClient
from tiled.client.base import BaseClient
from tiled.client.container import Container

from .frame import Document

END = object()
BATCH = 1000  # rows that are written at once, at most


class RunWriter:
    """Writes the documents of one run, rows whenever `flush` is called and at the stop.

    Args:
        client: Of the catalogue.
    """

    def __init__(self, client: BaseClient):
        self._writer = _Rows(client.include_data_sources())
        self._normalizer = _Normalizer()
        self._normalizer.subscribe(self._writer)

    def __call__(self, name: str, document: dict[str, Any]) -> None:
        self._normalizer(name, document)

    def flush(self) -> None:
        """Write the rows that have come, so that readers see them; a full batch was written before."""
        self._writer.flush()


class _Normalizer(RunNormalizer):
    """The stock one, which takes half of its time to check events that the journal has checked."""

    def emit(self, name, doc):
        if name is DocumentNames.event:
            self.dispatcher.process(name, doc)
        else:
            super().emit(name, doc)


class _Rows(_RunWriter):
    """The stock writer, whose batches end when we say so, too."""

    def __init__(self, client: BaseClient):
        # arrays as arrays: SQLite has none
        super().__init__(client, batch_size=BATCH, max_array_size=0)
        self._floats: dict[str, list[str]] = {}  # columns by descriptor

    def descriptor(self, doc):
        keys = doc["data_keys"].items()
        self._floats[doc["uid"]] = [name for name, key in keys if key["dtype"] == "number"]
        super().descriptor(doc)

    def event(self, doc):
        # the first batch sets the type of a column: 1, 2, then 2.5 is no column of integers
        for name in self._floats[doc["descriptor"]]:
            value = doc["data"].get(name)
            if type(value) is int and float(value) == value:
                doc["data"][name] = float(value)
        super().event(doc)

    def flush(self) -> None:
        for stream, rows in self._internal_data_cache.items():
            if rows:
                self._write_internal_data(rows, desc_node=self._desc_nodes[stream])
                rows.clear()


def differences(run: Container, documents: Iterable[Document]) -> Iterator[str]:
    """Compare a run with its documents, row by row, and yield in words what is not the same.

    Every value of every event is compared, by its place in the stream; of the stop, its uid.
    """
    streams: dict[str, str] = {}
    rows: dict[str, Iterator[dict[str, Any]]] = {}
    needed: dict[str, int] = defaultdict(int)
    for name, document in documents:
        if name == "descriptor":
            stream = streams[document["uid"]] = document["name"]
            if stream not in rows:
                rows[stream] = read_rows(run.base[stream]) if stream in run.base else iter(())
        elif name in ("event", "event_page"):
            stream = streams[document["descriptor"]]
            for event in [document] if name == "event" else unpack_event_page(document):
                if (row := next(rows[stream], None)) is not None:
                    yield from _odd(row, event, f"{stream}, event {event['seq_num']}")
                    needed[stream] += 1
                else:
                    yield f"{stream}, event {event['seq_num']}: missing"
        elif name == "stop" and run.metadata.get("stop", {}).get("uid") != document["uid"]:
            yield "no stop document, or another one"
    for stream, rest in rows.items():
        if more := sum(1 for _ in rest):
            yield f"{stream}: {needed[stream] + more} rows; needs {needed[stream]}"


def read_rows(stream: Container) -> Iterator[dict[str, Any]]:
    """Read a stream and yield its rows, each value under the name of its column."""
    columns: dict[str, Any] = {}
    for key, node in stream.base.items():
        if isinstance(node, ArrayClient):
            columns[key] = iter(node.read())
        else:
            table = node.read()
            columns |= {name: iter(table[name]) for name in table}
    while columns:
        row = {name: next(column, END) for name, column in columns.items()}
        if all(value is END for value in row.values()):
            return
        yield row


def _odd(row: Mapping[str, Any], event: Mapping[str, Any], place: str) -> Iterator[str]:
    needed = {"seq_num": event["seq_num"], "time": event["time"]}
    for name, value in event["data"].items():
        column = f"{name}_" if name in RESERVED_DATA_KEYS else name
        needed |= {column: value, f"ts_{column}": event["timestamps"][name]}
    for column, value in needed.items():
        if type(value) is float and row.get(column) == value:
            continue  # nearly all of them
        if not same(there := row.get(column, END), value):
            found = "nothing" if there is END else repr(there)
            yield f"{place}, {column}: {found}; needs {value!r}"


def same(there: Any, needed: Any) -> bool:
    """Tell whether a value of the catalogue is what was written; NaN is NaN, and so is None."""
    if isinstance(needed, list):
        needed = np.array(needed)
        if needed.dtype.kind not in "biufc":
            return np.array_equal(there, needed)
        if np.shape(there) != needed.shape and needed.ndim == 1:
            # the stock writer makes rows of different lengths equal, with NaN at their end
            needed = np.pad(
                needed.astype(float), (0, len(there) - len(needed)), constant_values=np.nan
            )
        return np.array_equal(there, needed, equal_nan=True)
    if is_nothing(needed):
        return is_nothing(there)
    return isinstance(there, str) == isinstance(needed, str) and bool(there == needed)


def is_nothing(value: Any) -> bool:
    """Tell whether a value is None or NaN."""
    return value is None or (isinstance(value, float) and np.isnan(value))
