"""Callbacks that raise or hang, and a shipper that is killed while it appends rows."""

import logging
import random
import threading
import time
from pathlib import Path

from desk import Desk, differences, wait_for
from scoreboard import Case

from odmrlab.lab.record import lane, road, shipper
from odmrlab.lab.record.journal import SHIPPED

ROWS = 2000  # that are on their way when the shipper is killed
BLOCKED = 60.0  # s
KINDS = ("start", "descriptor", "event", "stop")


class Told(logging.Handler):
    """Keeps what a logger says."""

    def __init__(self, name: str):
        super().__init__()
        self.messages: list[str] = []
        self._logger = logging.getLogger(name)
        self._logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())

    def end(self) -> None:
        """Keep no more."""
        self._logger.removeHandler(self)


def raises(chance: random.Random, home: Path) -> Case:
    """Let a callback raise; the scan goes on, the other callbacks get every document."""
    desk, kind, told = Desk(home), chance.choice(KINDS), Told(lane.__name__)

    def broken(name: str, document: dict) -> None:
        if name == kind:
            raise RuntimeError("broken callback")

    desk.RE.subscribe(broken)
    late: list[str] = []
    desk.RE.subscribe(lambda name, document: late.append(document["uid"]))
    failure = desk.scan()
    desk.close()
    told.end()
    (documents,) = desk.kept().values()
    wrong = failure or desk.wrong()
    if len(told.messages) != 1 or documents[0][1]["uid"] not in told.messages[0]:
        wrong = wrong or f"told {len(told.messages)} times"
    missing = len(documents) - len(late) + len(documents) - len(desk.seen)
    return Case("callback: raises", missing, wrong, message=" ".join(told.messages[:1]))


def blocks(chance: random.Random, home: Path) -> Case:
    """Let a callback hang; the scan keeps its pace, and the session closes in bounded time."""
    desk, free, told = Desk(home), threading.Event(), Told(road.__name__)
    desk.scan(points=5)
    began = time.monotonic()
    desk.scan(points=20, pace=0.01)
    before, seen = time.monotonic() - began, len(desk.seen)
    desk.RE.subscribe(lambda name, document: free.wait(BLOCKED))
    began = time.monotonic()
    failure = desk.scan(points=20, pace=0.01)
    during = time.monotonic() - began - 11  # it is given 1 s by the engine and 10 s by the desk
    others, began = len(desk.seen) - seen, time.monotonic()
    desk.close()
    closed = time.monotonic() - began
    free.set()
    told.end()
    wrong = failure or ("" if others == 23 else f"another callback got {others} of 23 documents")
    if not wrong and (during > 2 * before + 1 or closed > road.LONGEST):
        wrong = f"scan {during:.1f} s instead of {before:.1f} s, closed in {closed:.1f} s"
    facts = {"scan [s]": round(during, 2), "before [s]": round(before, 2), "close [s]": closed}
    return Case("callback: hangs for 60 s", 0, wrong, message=told.messages[-1], facts=facts)


def torn_append(chance: random.Random, home: Path) -> Case:
    """Kill the shipper at a random moment while it appends rows, and let it start anew."""
    desk = Desk(home)
    with shipper.Shipper(desk.settings) as ship:
        wait_for(lambda: "ships from" in ship.log.read_text())
        moment = chance.uniform(0, 1.5)
        killer = threading.Timer(moment, lambda: ship._process.kill())  # noqa: SLF001
        killer.start()
        failure = desk.scan(points=ROWS)
        killer.join()
        desk.close()
        back = wait_for(lambda: list((desk.settings.journal / SHIPPED).glob("*.jsonl")))
    wrong = failure or differences(desk.settings) or desk.wrong(ROWS)
    facts = {"killed after [s]": round(moment, 3), "complete after [s]": round(back, 1)}
    return Case("shipper: killed in an append", desk.lost(), wrong, facts=facts)
