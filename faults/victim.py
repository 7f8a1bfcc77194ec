"""A session in a process of its own that measures until something happens to it.

    python victim.py HOME

It waits for a line on its standard input, takes the instruments and measures for long. Whatever a
callback sees it writes to standard output at once, ``<document> <uid of the run> <uid>``.
"""

import os
import sys
from pathlib import Path

from rack import PREFIX, START, STOP

from odmrlab.lab.ending import end_on_signals
from odmrlab.lab.session import Session, connect
from odmrlab.lab.settings import Settings
from odmrlab.plans import odmr

POINTS = 400  # more than it ever gets to


class Witness:
    """A callback that tells every document to whoever reads this process's output."""

    def __init__(self):
        self._run = ""

    def __call__(self, name: str, doc: dict) -> None:
        self._run = doc["uid"] if name == "start" else self._run
        # one write, at once: it must not wait in a buffer that dies with the process
        os.write(1, f"{name} {self._run} {doc['uid']}\n".encode())


def main() -> None:
    """Measure."""
    sys.stdin.readline()
    session = Session(
        Settings(home=Path(sys.argv[1]), prefix=PREFIX), connect(PREFIX), attended=False
    )
    session.RE.subscribe(Witness())
    end_on_signals([session.RE])
    bench = session.instruments
    try:
        session.RE(odmr(bench.lockin, bench.magnet, START, STOP, POINTS))
    finally:
        session.close()


if __name__ == "__main__":
    main()
