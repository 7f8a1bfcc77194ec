"""The 0MQ bus: hints that there is more in the journal, and subscriptions that lose nothing.

A hint is the JSON object ``{"run": uid, "lines": number of lines in its journal}``. Documents never
travel on the bus: whoever wants them reads the journal. So a dead bus, a slow or late subscriber and
a lost hint cost time and no document, and nobody has to trust what the bus says.
"""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import zmq

from ..settings import Settings
from .frame import Document
from .journal import QUARANTINE, SHIPPED
from .tail import Follower, Tail, feed

PERIOD = 0.05  # s between two looks of the publisher
PATIENCE = 1.0  # s without a hint after which a subscription looks for itself
RETRY = 2.0  # s between two attempts to open the bus

logger = logging.getLogger(__name__)


class Hints:
    """Consumes one journal: tells the bus how long it has become."""

    def __init__(self, socket: zmq.Socket, tail: Tail):
        self._socket, self._tail = socket, tail
        self._told = 0

    def __call__(self, name: str, document: dict[str, Any]) -> None:
        """Take a document, whose place is in the journal."""

    def flush(self) -> None:
        """Publish the number of lines, if there are more."""
        if self._tail.lines != self._told:
            self._told = self._tail.lines
            # never waits: 0MQ drops what nobody takes
            self._socket.send_json({"run": self._tail.run, "lines": self._told}, zmq.NOBLOCK)


@contextmanager
def publishing(settings: Settings) -> Iterator[None]:
    """Publish hints on a thread, until the block ends; a bus that cannot be opened is logged."""
    done = threading.Event()
    thread = threading.Thread(target=_publish, args=(settings, done), name="bus", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _publish(settings: Settings, done: threading.Event) -> None:
    follower = Follower(settings.journal)
    with zmq.Context() as context, context.socket(zmq.PUB) as socket:
        socket.linger = 0
        while not _bound(socket, settings.bus_address):
            if done.wait(RETRY):
                return
        look = feed(follower, lambda tail: Hints(socket, tail))
        while not done.wait(PERIOD):
            look()
        look()
    follower.close()
    if settings.bus_address.startswith("ipc://"):  # 0MQ leaves the file of the socket behind
        Path(settings.bus_address.removeprefix("ipc://")).unlink(missing_ok=True)


def _bound(socket: zmq.Socket, address: str) -> bool:
    try:
        socket.bind(address)
    except zmq.ZMQError as error:
        logger.error("bus: %s cannot be opened (%s); needs another in ODMRLAB_BUS", address, error)
        return False
    logger.info("bus: %s", address)
    return True


class Subscription:
    """Every document of a laboratory, those of the past first, each once, in any process.

    Args:
        settings: Whose journal and bus.
        since: Runs that ended before this time [s since 1970] are left out.
    """

    def __init__(self, settings: Settings, since: float = 0.0):
        journal = settings.journal
        # in the order in which a journal moves, so that none is missed
        folders = journal, journal / QUARANTINE, journal / SHIPPED
        self._follower = Follower(*folders, since=since)
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.SUB)
        self._socket.subscribe(b"")
        self._socket.connect(settings.bus_address)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Document]:
        """Yield documents for ever."""
        while True:
            yield from self.documents(PATIENCE)

    def documents(self, timeout: float) -> Iterator[Document]:
        """Yield documents until none has come for a time [s]; those of a run are in order."""
        last = time.monotonic()
        while True:
            for tail in self._follower.tails():
                for document in tail.news():
                    yield document
                    last = time.monotonic()
            left = last + timeout - time.monotonic()
            if left <= 0:
                return
            self._wait(min(left, PATIENCE))

    def close(self) -> None:
        """Leave the bus."""
        self._follower.close()
        self._context.destroy(linger=0)

    def _wait(self, seconds: float) -> None:
        """Wait for a hint; several at once are one."""
        if self._socket.poll(seconds * 1000):
            while self._socket.poll(0):
                self._socket.recv(zmq.NOBLOCK)
