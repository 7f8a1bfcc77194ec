"""Where all instruments are, in a table."""

from collections.abc import Iterable
from typing import Any

from ophyd import Device, EpicsSignalRO, Kind
from rich.table import Table

from ..devices.positioner import Positioner

BOOKS = ("boot_id", "shot", "reading_time")  # that a person does not ask for


def where_all(instruments: Iterable[Device]) -> Table:
    """Return every setting with its readback and unit, and every flag, asked for now."""
    table = Table("", "set", "is", "unit")
    for instrument in instruments:
        for number, cells in enumerate(rows(instrument)):
            table.add_row(*cells, style="" if number else "bold")
        table.add_section()
    return table


def rows(instrument: Device) -> list[tuple[str, str, str, str]]:
    """Return name, set point, readback and unit of what an instrument is asked and measures."""
    signals = [walk.item for walk in instrument.walk_signals() if walk.item.parent is instrument]
    shown = [
        item for item in signals if item.kind is not Kind.omitted and item.attr_name not in BOOKS
    ]
    followed = {
        item.attr_name: item.readback_name for item in shown if isinstance(item, Positioner)
    }
    found = []
    for item in shown:
        if item.attr_name in followed.values():
            continue
        value, unit = text(item.get()), item.describe()[item.name].get("units") or ""
        name = f"{instrument.name}.{item.attr_name}"
        if item.attr_name in followed:
            readback = getattr(instrument, followed[item.attr_name])
            found.append((name, value, text(readback.get()), unit))
        elif isinstance(item, EpicsSignalRO):
            found.append((name, "", value, unit))
        else:
            found.append((name, value, "", unit))
    return found


def text(value: Any) -> str:
    """Return a value in few digits."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
