"""Lines of a journal: a document within its checksum, and what is left of it when that fails."""

import json
import re
import zlib
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

DIGITS = 8  # of the checksum
BEGINNING = re.compile(rb'[0-9a-f]{8} \["')  # of a line, wherever it stands

Document = tuple[str, dict[str, Any]]  # its name, and itself


class JournalError(ValueError):
    """A document that cannot be written, or a line that cannot be read."""


def encode(name: str, document: dict[str, Any], *more: dict[str, Any]) -> bytes:
    """Return the line of one document, which must be plain JSON."""
    text = json.dumps([name, document, *more], separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def decode(line: bytes) -> Document:
    """Return name and document of one line.

    Raises:
        ValueError: When the line is not, to the last bit, what was written.
    """
    name, document, *_ = members(line)
    return name, document


def members(line: bytes) -> list:
    """Return everything in a line: name, document, and who writes.

    Raises:
        ValueError: When the line is not what was written.
    """
    checksum, text = line[: DIGITS + 1], line[DIGITS + 1 :].removesuffix(b"\n")
    if checksum != b"%08x " % zlib.crc32(text):
        raise ValueError(f"CRC32 of the text is {zlib.crc32(text):08x}")
    return json.loads(text)


def salvage(line: bytes) -> Iterator[Document]:
    """Yield the documents that stand undamaged in a damaged line: their newlines were hit."""
    begins = [found.start() for found in BEGINNING.finditer(line)]
    for begin, end in pairwise([*begins, len(line) + 1]):
        for piece in (line[begin:end], line[begin : end - 1]):
            try:
                yield decode(piece)
                break
            except ValueError:
                continue
