"""The door of the journal: what a document must be to be kept."""

from collections.abc import Set as AbstractSet
from math import isfinite
from typing import Any

from event_model import DocumentNames, schema_validators
from jsonschema import ValidationError

from .frame import JournalError

PLAIN = frozenset({str, int, float, bool, type(None)})
RARE = frozenset({"start", "descriptor", "resource", "stream_resource", "stop"})  # these can afford
# event-model's own check: of an event it takes longer than everything else
EVENT = {"uid": str, "time": float, "seq_num": int, "data": dict, "timestamps": dict}
SAID = 120  # characters of what a schema says


def check(name: str, document: dict[str, Any]) -> None:
    """Refuse what JSON or event-model would not give back as it was.

    Readings may be NaN or infinite; metadata may not, for no other JSON reader knows them.

    Raises:
        JournalError: Naming the first key that is wrong.
    """
    if (alien := strange(document, finite=name == "start")) is not None:
        raise JournalError(f"journal: {name} document holds {alien}; needs plain JSON")
    if name in RARE:
        try:
            schema_validators[DocumentNames[name]].validate(document)
        except ValidationError as error:
            where = ".".join(map(str, error.absolute_path)) or "itself"
            raise JournalError(
                f"journal: {name} document has {error.message[:SAID]} in {where}; "
                "needs the schema of event-model"
            ) from None


def check_event(event: dict[str, Any], columns: AbstractSet[str]) -> None:
    """Refuse an event that has not one value and one time stamp for every column, and a number.

    Raises:
        JournalError: Naming what is wrong.
    """
    for key, kind in EVENT.items():
        value = event.get(key)
        if not isinstance(value, (kind, int) if kind is float else kind):
            raise JournalError(f"journal: event has {key} {value!r}; needs {kind.__name__}")
    number, data, stamps = event["seq_num"], event["data"], event["timestamps"]
    if number < 1:
        raise JournalError(f"journal: event has seq_num {number}; needs 1, 2, ...")
    if not data.keys() == stamps.keys() == columns:
        odd = sorted((data.keys() ^ columns) | (stamps.keys() ^ columns))
        raise JournalError(
            f"journal: event {number} differs from its descriptor in {', '.join(odd)}; "
            "needs a value and a time stamp for every column"
        )


def strange(value: Any, key: str = "", *, finite: bool = False) -> str | None:
    """Describe the first thing that JSON would change, a float of numpy for one, or fail on."""
    kind = type(value)
    if kind in PLAIN:
        if finite and kind is float and not isfinite(value):
            return f"{value} at {key}"
        return None
    if isinstance(value, dict):
        if alien := next((name for name in value if type(name) is not str), None):
            return f"the key {alien!r} in {key or 'itself'}"
        members = value.items()
    elif kind in (list, tuple):
        members = enumerate(value)
    else:
        return f"{kind.__module__}.{kind.__qualname__} at {key}"
    inside = (
        strange(item, f"{key}.{name}" if key else str(name), finite=finite)
        for name, item in members
    )
    return next((alien for alien in inside if alien is not None), None)
