"""Numbers that know their unit and the range in which they make sense."""

from dataclasses import dataclass, field, fields
from math import isfinite
from typing import Any


def quantity(default: float, unit: str, low: float, high: float, doc: str) -> Any:
    """Declare a dataclass field: a finite number of this unit within low..high."""
    return field(default=default, metadata={"unit": unit, "low": low, "high": high, "doc": doc})


@dataclass(frozen=True)
class Quantities:
    """Base of the sample's parts: every quantity is checked when the object is made."""

    def __post_init__(self) -> None:
        """Refuse a quantity that is not a number in its range."""
        for item in fields(self):
            if "unit" in item.metadata:
                check(type(self).__name__, item.name, getattr(self, item.name), item.metadata)


def check(who: str, name: str, value: Any, rule: Any) -> None:
    """Raise unless the value is a finite number within the rule's range.

    Raises:
        TypeError: On anything but a number.
        ValueError: On a number that is not finite or out of range.
    """
    unit = rule["unit"] and f" [{rule['unit']}]"
    needs = f"needs a number from {rule['low']:g} to {rule['high']:g}{unit}"
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{who}: {name} = {value!r}; {needs}")
    if not isfinite(value) or not rule["low"] <= value <= rule["high"]:
        raise ValueError(f"{who}: {name} = {value:g}{unit}; {needs}")
