"""The form of an item: small, flat and finite, whatever it asks for."""

import json
from collections.abc import Iterator
from math import isfinite
from typing import Any

REQUEST_SIZE = 1_000_000  # characters
PART_SIZE = 65_536  # characters of arguments, and of metadata
DEPTH = 5  # of mappings and lists within each other
KINDS = {  # of its parts
    "args": (list, "a list"),
    "kwargs": (dict, "an object"),
    "meta": (dict | list, "an object or a list of them"),
}
KNOWN = {"item_type", "name", "item_uid", "user", "user_group", "properties", "result", *KINDS}
NAME_SIZE = 100  # characters


class FormError(ValueError):
    """An item or a request that cannot be taken, naming the field."""


def check_size(text: bytes) -> None:
    """Raise on a request that is too large, naming its largest field.

    Raises:
        FormError: With what is large in it.
    """
    if len(text) > REQUEST_SIZE:
        try:
            field = largest(json.loads(text))
        except (ValueError, RecursionError):
            field = "request"
        raise FormError(f"queue: {field} of {len(text):,} bytes; needs at most {REQUEST_SIZE:,}")


def largest(value: Any, name: str = "request") -> str:
    """Return where most of a JSON object is: the name of a field, with dots."""
    if not isinstance(value, dict) or not value:
        return name
    sizes = {key: weight(part) for key, part in value.items()}
    key = max(sizes, key=lambda one: sizes[one])
    if sizes[key] < 0.9 * sum(sizes.values()):
        return name
    return largest(value[key], key if name in ("request", "params") else f"{name}.{key}")


def weight(value: Any) -> int:
    """Return about how many characters a value takes in JSON."""
    if isinstance(value, dict):
        return sum(len(key) + weight(part) for key, part in value.items())
    if isinstance(value, list):
        return sum(map(weight, value))
    return len(value) if isinstance(value, str) else 4


def check_form(item: Any) -> None:
    """Raise unless an item has the form of one.

    Raises:
        FormError: Naming the field.
    """
    if not isinstance(item, dict) or not isinstance(item.get("name"), str):
        raise FormError(f"queue: item={item!r:.100}; needs an object with a name")
    name = item["name"]
    if len(name) > NAME_SIZE:
        raise FormError(f"queue: name of {len(name)} characters; needs at most {NAME_SIZE}")
    if strange := sorted(set(item) - KNOWN):
        raise FormError(f"{name}: {strange[0]!r:.100} in the item; needs none but {sorted(KNOWN)}")
    for part, (kind, needed) in KINDS.items():
        if part in item and not isinstance(item[part], kind):
            raise FormError(f"{name}: {part}={item[part]!r:.100}; needs {needed}")
    if not all(isinstance(part, dict) for part in meta_parts(item)):
        raise FormError(f"{name}: meta={item['meta']!r:.100}; needs objects in its list")
    fields = {f"args[{number}]": value for number, value in enumerate(item.get("args", ()))}
    fields |= item.get("kwargs", {}) | {"meta": item.get("meta", {})}
    for field, value in fields.items():
        check_value(f"{name}: {field}", value)


def meta_parts(item: dict[str, Any]) -> list[Any]:
    """Return the metadata of an item as the queue server takes it: in one part or in several."""
    given = item.get("meta", {})
    return given if isinstance(given, list) else [given]


def check_value(who: str, value: Any) -> None:
    """Raise on a value that is too large, too deep, or holds a number that is none.

    Args:
        who: The plan and the field, for the message.
        value: Of the field.

    Raises:
        FormError: With what is wrong.
    """
    size = len(json.dumps(value))
    if size > PART_SIZE:
        raise FormError(f"{who} of {size:,} characters; needs at most {PART_SIZE:,}")
    for number, depth in numbers(value):
        if depth > DEPTH:
            raise FormError(f"{who} is {depth} levels deep; needs at most {DEPTH}")
        if isinstance(number, float) and not isfinite(number):
            raise FormError(f"{who}={number}; needs a finite number")


def numbers(value: Any, depth: int = 0) -> Iterator[tuple[Any, int]]:
    """Yield every part of a value that has none itself, with how deep it lies."""
    if depth > DEPTH or not isinstance(value, dict | list):
        yield value, depth
        return
    yield None, depth
    for part in value.values() if isinstance(value, dict) else value:
        yield from numbers(part, depth + 1)
