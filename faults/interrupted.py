"""A scan that Ctrl-C interrupts, and what is left of it."""

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bluesky.utils import RunEngineInterrupted
from event_model import DocumentNames, schema_validators
from rack import NUMBER as POINTS
from rack import START, STOP, Documents, wrong
from scoreboard import Case

LONGEST = 60.0  # s for one case
NOTICED = 0.15  # s after which a session has noticed Ctrl-C
SHORT = 8  # points of the short scan
FAILS_AT = 60  # message at which a plan fails that has to


@dataclass(frozen=True)
class Shot:
    """What happens to one scan.

    Attributes:
        times: How often Ctrl-C comes.
        attended: Whether somebody is there.
        choice: What they do with a plan that is paused: resume, abort, or leave.
        after: When the first comes [s]; or
        message: at the how manyth message, every time.
        gaps: After each of them [s].
        fails: Whether the plan fails by itself.
    """

    times: int
    attended: bool
    choice: str
    after: float = 0.0
    message: int | None = None
    gaps: tuple[float, ...] = ()
    fails: bool = False

    @property
    def name(self) -> str:
        """What it is called on the scoreboard."""
        when = "at a random moment" if self.message is None else "at every message"
        when = "at every message of a failure" if self.fails else when
        who = f"attended, {self.choice}" if self.attended else "unattended"
        return f"SIGINT x {self.times} {when}, {who}"


class Failing:
    """A plan that fails at one of its messages."""

    def __init__(self, plan, at: int):
        self._plan, self._left = plan, at

    def __iter__(self):
        from bluesky.preprocessors import msg_mutator

        def counted(message):
            self._left -= 1
            if self._left == 0:
                raise RuntimeError("the plan fails by itself")
            return message

        return msg_mutator(self._plan, counted)


class Interrupted:
    """Scans of this laboratory that are interrupted.

    Args:
        stack: Puts the bench in order.
    """

    def __init__(self, stack):
        self.stack = stack
        self.undisturbed = stack.reference(LONGEST)
        stack.prepare()
        began = time.monotonic()
        self._run(Shot(0, False, "abort"), lambda session: self.all_sent.set())
        self.duration = time.monotonic() - began

    def messages(self, fails: bool = False) -> list[int]:
        """Return the numbers of the messages of a short scan; of its failure and what follows."""
        count = [0]

        def listen(session) -> None:
            self.all_sent.set()
            session.RE.msg_hook = lambda _: count.__setitem__(0, count[0] + 1)

        self.stack.prepare()
        with suppress(RuntimeError):
            self._run(Shot(0, False, "abort", message=-1, fails=fails), listen)
        return list(range(FAILS_AT if fails else 0, count[0]))

    def case(self, shot: Shot) -> Case:
        """Interrupt one scan."""
        self.stack.prepare()
        hung = threading.Event()
        watchdog = threading.Timer(LONGEST, self._give_up, (hung,))
        watchdog.start()
        with TemporaryDirectory() as home:
            documents, state = self._run(shot, lambda session: self._arm(shot, session), Path(home))
            watchdog.cancel()
            bad = self._wrong(shot, documents, state, Path(home))
        left_safe = documents.started and documents.stop.get("exit_status") != "success"
        timed = left_safe and self.sent and not shot.attended
        facts = {"after": shot.after, "message": shot.message, "paused": self.paused}
        return Case(
            shot.name,
            wrong=bad,
            hung=hung.is_set(),
            safe=self.closed - self.sent[0] if timed else None,
            message=self.failure,
            facts=facts | {"signals": len(self.sent), "choice": shot.choice},
        )

    def _arm(self, shot: Shot, session) -> None:
        """Have Ctrl-C come."""
        if shot.message is None:
            threading.Thread(target=self._send, args=(shot.after, shot.gaps)).start()
            return
        self.all_sent.set()
        numbers = iter(range(10**6))

        def at(_message) -> None:
            if next(numbers) == shot.message:
                # the plan is kept at this message until the session has noticed
                self._send(0.0, (NOTICED,) * shot.times)

        session.RE.msg_hook = at

    def _send(self, after: float, gaps: tuple[float, ...]) -> None:
        time.sleep(after)
        for gap in gaps:
            self.sent.append(time.monotonic())
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(gap)
        self.all_sent.set()

    def _run(self, shot: Shot, arm: Callable, home: Path | None = None) -> tuple[Documents, str]:
        """Run a scan as a person or a script does, to the end of its session."""
        from odmrlab.lab.session import Session
        from odmrlab.lab.settings import Settings

        with TemporaryDirectory() as folder:
            self.failure, self.paused, self.sent = "", False, []
            self.all_sent = threading.Event()
            documents = Documents()
            settings = Settings(home=home or Path(folder), patience=5.0)
            session = Session(settings, self.stack.bench, attended=shot.attended)
            session.RE.subscribe(documents)
            try:
                arm(session)
                self._go(session, shot)
            except KeyboardInterrupt:
                self.failure = self.failure or "KeyboardInterrupt"
            finally:
                stubborn(session.close)
                self.closed = time.monotonic()
                stubborn(self.all_sent.wait)
        return documents, session.RE.state

    def _go(self, session, shot: Shot) -> None:
        try:
            session.RE(self._plan(shot))
        except RunEngineInterrupted as told:
            self.failure = str(told)
            self.paused = session.RE.state == "paused"
        except RuntimeError as error:
            if not shot.fails:
                raise
            self.failure = str(error)
        if not self.paused:
            return
        if shot.choice == "resume":
            with suppress(RunEngineInterrupted):  # by one that comes later
                session.RE.resume()
        elif shot.choice == "abort":
            session.RE.abort("by hand")

    def _plan(self, shot: Shot):
        from odmrlab.plans import odmr

        bench = self.stack.bench
        number = POINTS if shot.message is None else SHORT
        stop = STOP if shot.message is None else START + (STOP - START) * (SHORT - 1) / (POINTS - 1)
        plan = odmr(bench.lockin, bench.magnet, START, stop, number)
        return iter(Failing(plan, FAILS_AT)) if shot.fails else plan

    def _wrong(self, shot: Shot, documents: Documents, state: str, home: Path) -> str:
        """Say what is wrong with what is left."""
        if state != "idle":
            return f"the RunEngine is {state}"
        if not documents.started:
            return ""
        if bad := not_closed(home):
            return bad
        status = documents.stop["exit_status"]
        number = POINTS if shot.message is None else SHORT
        if bad := wrong(documents.rows, self.undisturbed, status == "success", number):
            return bad
        if self.paused and shot.choice == "resume" and len(self.sent) == 1 and status != "success":
            return f"resumed, it ended with {status}"
        if status != "success" and not self.stack.is_safe():
            return "rf or light left on"
        return ""

    @staticmethod
    def _give_up(hung: threading.Event) -> None:
        hung.set()
        for _ in range(20):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(NOTICED)


def stubborn(action: Callable[[], object]) -> None:
    """Do something to its end, however often Ctrl-C throws it out."""
    while True:
        try:
            action()
        except KeyboardInterrupt:
            continue
        return


def not_closed(home: Path) -> str:
    """Say which journal does not end with a valid stop document; fits are runs, too."""
    from odmrlab.lab.record.journal import read

    for path in home.glob("journal/*.jsonl"):
        *_, (name, stop) = read(path)
        if name != "stop":
            return f"{path.name} ends with {name}"
        schema_validators[DocumentNames.stop].validate(stop)
    return ""
