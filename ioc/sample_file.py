"""A sample from a TOML file, every key checked before anything is served."""

import tomllib
from dataclasses import fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from .physics.apparatus import Coil, Detector, Nanocrystals
from .physics.carrier import Carrier, Hole
from .physics.sample import Sample

PARTS = {
    "electron": Carrier,
    "hole": Hole,
    "nanocrystals": Nanocrystals,
    "coil": Coil,
    "detector": Detector,
}


class SampleFileError(ValueError):
    """A sample file that cannot be used, with the place and what is needed there."""


def read_sample(path: Path) -> Sample:
    """Return the sample that a file describes; what it leaves out is sample #1 of the paper.

    Raises:
        SampleFileError: On a file that cannot be read, an unknown key, a wrong type or a value
            that no sample can have.
    """
    try:
        content = tomllib.loads(Path(path).read_text())
        return sample_from(content)
    except OSError as error:
        raise SampleFileError(f"{path}: {error.strerror}; needs a readable TOML file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SampleFileError(f"{path}: {error}; needs TOML") from error
    except (TypeError, ValueError) as error:
        raise SampleFileError(f"{path}: {error}") from error


def sample_from(content: dict[str, Any]) -> Sample:
    """Return the sample of a parsed file.

    Raises:
        TypeError: On a value of the wrong type.
        ValueError: On an unknown key or a value out of its range.
    """
    refuse_unknown("the file", content, Sample)
    sample = dict(content)
    for part, kind in PARTS.items():
        if part in sample:
            if not isinstance(sample[part], dict):
                raise TypeError(f"{part} = {sample[part]!r}; needs a table [{part}]")
            refuse_unknown(f"[{part}]", sample[part], kind)
            sample[part] = kind(**sample[part])
    if "effects" in sample:
        sample["effects"] = names(sample["effects"])
    if not isinstance(sample.get("name", ""), str):
        raise TypeError(f"name = {sample['name']!r}; needs a text in quotes")
    return Sample(**sample)


def names(effects: Any) -> tuple[str, ...]:
    """Return the names of a list of effects."""
    if not isinstance(effects, list) or not all(isinstance(item, str) for item in effects):
        raise TypeError(f'effects = {effects!r}; needs a list of names such as ["hole_window"]')
    return tuple(effects)


def refuse_unknown(where: str, table: dict[str, Any], kind: type) -> None:
    """Raise on a key that the table does not have, with the nearest one that it has."""
    known = [item.name for item in fields(kind)]
    for key in table:
        if key not in known:
            near = get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"needs one of: {', '.join(known)}"
            raise ValueError(f"unknown key {key!r} in {where}; {hint}")
