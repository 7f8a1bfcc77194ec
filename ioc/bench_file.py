"""The imperfections of the instruments from a TOML file, one table each, every key checked."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .instrument import Instrument
from .physics.quantity import Quantities
from .sample_file import refuse_unknown


class BenchFileError(ValueError):
    """A bench or scenario file that cannot be used, with the place and what is needed there."""


def read_bench(path: Path, kinds: Mapping[str, type[Instrument]]) -> dict[str, Quantities]:
    """Return the characters that a file describes, by instrument; what it leaves out is ideal.

    Args:
        path: Of the file.
        kinds: The instruments there are, by name.

    Raises:
        BenchFileError: On a file that cannot be read, an unknown table or key, a wrong type or a
            value out of its range.
    """
    found = {}
    content = read_toml(path)
    try:
        for name, table in content.items():
            if name not in kinds:
                raise ValueError(f"unknown table [{name}]; needs one of: {', '.join(kinds)}")
            if not isinstance(table, dict):
                raise TypeError(f"{name} = {table!r}; needs a table [{name}]")
            refuse_unknown(f"[{name}]", table, kinds[name].Character)
            found[name] = kinds[name].Character(**table)
    except (TypeError, ValueError) as error:
        raise BenchFileError(f"{path}: {error}") from error
    return found


def read_toml(path: Path) -> dict[str, Any]:
    """Return the content of a file.

    Raises:
        BenchFileError: When it cannot be read, or is not TOML.
    """
    try:
        return tomllib.loads(Path(path).read_text())
    except OSError as error:
        raise BenchFileError(f"{path}: {error.strerror}; needs a readable TOML file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BenchFileError(f"{path}: {error}; needs TOML") from error
