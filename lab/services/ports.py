"""Ports of the loopback address: which are free, and who has the others."""

import socket
import zlib
from collections.abc import Collection, Iterable
from contextlib import suppress
from itertools import count
from pathlib import Path

import psutil

LOOPBACK = "127.0.0.1"
# below the ports that kernels give to outgoing connections, so that nobody gets one by chance
FIRST, NUMBER = 20000, 12000


def choose(names: Iterable[str], home: Path, taken: Collection[int] = ()) -> dict[str, int]:
    """Return a free port for each name; the same ones again while they are free.

    Args:
        names: Of what listens there.
        home: Of the laboratory; two of them begin to look at different places.
        taken: Ports that have another use.
    """
    start = zlib.crc32(str(home).encode())
    ports = (FIRST + (start + number) % NUMBER for number in count())
    free = (port for port in ports if port not in taken and is_free(port))
    return {name: next(free) for name in names}


def is_free(port: int) -> bool:
    """Tell whether TCP and UDP can be listened on."""
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            if kind == socket.SOCK_STREAM:
                # what an ended server leaves behind for a minute is no hindrance
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
                if kind == socket.SOCK_STREAM:
                    probe.listen(1)
            except OSError:
                return False
    return True


def holder(port: int) -> str:
    """Return who has a port, as a person can find it."""
    for connection in psutil.net_connections("inet"):
        if connection.laddr and connection.laddr.port == port and connection.pid:
            with suppress(psutil.Error):
                process = psutil.Process(connection.pid)
                return f"process {process.pid} ({process.name()})"
    return "a process of another user"
