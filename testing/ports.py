"""Ports of the loopback address for the IOCs of one test process, its own as long as it lives."""

import random
import socket

LOOPBACK = "127.0.0.1"
FIRST, LAST = 20_000, 32_000  # below those that a kernel gives to whoever asks for any
BESIDE, QUEUE = 3, 6  # IOCs beside the laboratory, processes of a queue
BLOCK = 2 + BESIDE + QUEUE  # the lock and the laboratory as well


class NoPortsError(OSError):
    """A host without free ports."""


class Ports:
    """A block of ports; whoever listens on its first one, where nobody calls, has all of them.

    A port that is found free and used later may be taken by another process meanwhile. A block
    cannot, and the same ports can be used for one laboratory after the other, as Channel Access
    clients want it that read the addresses of their servers only once.

    Raises:
        NoPortsError: After a hundred blocks of which some port was taken.
    """

    def __init__(self):
        for first in random.SystemRandom().sample(range(FIRST, LAST, BLOCK), 100):
            self._lock = bound(first)
            if self._lock and all(is_free(port) for port in range(first + 1, first + BLOCK)):
                self.laboratory, *rest = range(first + 1, first + BLOCK)
                self.beside, self.queue = rest[:BESIDE], rest[BESIDE:]
                return
            self.close()
        raise NoPortsError(f"testing: no {BLOCK} free ports in a row from {FIRST} to {LAST}")

    @property
    def addresses(self) -> str:
        """Where clients look, as EPICS_CA_ADDR_LIST has it."""
        return " ".join(f"{LOOPBACK}:{port}" for port in (self.laboratory, *self.beside))

    def close(self) -> None:
        """Give the block back."""
        if self._lock:
            self._lock.close()


def bound(port: int) -> socket.socket | None:
    """Return a socket that has a port; None if another has it."""
    lock = socket.socket()
    try:
        lock.bind((LOOPBACK, port))
    except OSError:
        lock.close()
        return None
    return lock


def is_free(port: int) -> bool:
    """Return whether nobody has a port."""
    if probe := bound(port):
        probe.close()
    return probe is not None
