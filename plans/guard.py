"""Lets no point be recorded during which an interlock tripped or an instrument was lost."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import bluesky.plan_stubs as bps
from bluesky.utils import (
    FailedPause,
    IllegalMessageSequence,
    Msg,
    MsgGenerator,
    RunEngineControlException,
)

from ..devices import DisconnectedError
from ..devices.instrument import Instrument
from ..devices.watch import Watch
from .interlocks import INTERLOCKS, OF_A_READING, REPEATS, Action, Interlock, InterlockError
from .outages import Gap, OutageError, State, in_words
from .points import RepeatPointError

log = logging.getLogger(__name__)

PATIENCE = 60.0  # s of the wall clock
LOOK_PERIOD = 0.05  # s
AFTERMATH = 8.0  # s after an outage, in which the instruments find one another again
MOMENT = 2.5  # s for which a run that begins waits for an instrument that was lost
BASELINE = "baseline"  # stream that tells how things are, good or bad
KNOWN = (RunEngineControlException, FailedPause, InterlockError, OutageError, RepeatPointError)
REFUSED = (TypeError, ValueError)  # by a device, before anything was put


class Guard:
    """A preprocessor of a RunEngine, for one plan after another.

    It looks at the interlocks before a run, and before every event is saved at all that happened
    since its detectors were triggered. An event that does not count is dropped, and
    ``RepeatPointError`` is thrown into the plan when the reason is over: the plans of this package
    take the point again, any other plan fails.

    Args:
        bench: The instruments by name.
        interlocks: Looked at.
        patience: For which a lost instrument or an interlock is waited for [s of the wall clock].
        renew: Takes the lease of an instrument that has come back.
    """

    def __init__(
        self,
        bench: Mapping[str, Instrument],
        interlocks: Sequence[Interlock] = INTERLOCKS,
        patience: float = PATIENCE,
        renew: Callable[[], None] = lambda: None,
    ):
        self._bench, self._patience, self._renew = bench, patience, renew
        self._of_reading = [lock for lock in interlocks if lock.action in OF_A_READING]
        self._monitored = [lock for lock in interlocks if lock.action not in OF_A_READING]
        self._state, self._gap, self._outages = State(bench), Gap("interlocks"), Gap("outages")
        self._clear()
        self.watch = Watch(bench, [lock.attribute for lock in self._monitored], self._tell)

    def _clear(self) -> None:
        self._open = False
        self._failure: Exception | None = None
        self._repeats = 0
        self._over = -AFTERMATH  # when the last outage was over [s of the monotonic clock]
        self._outages.forget()
        self._next_event()

    def _next_event(self) -> None:
        self._stream: str | None = None
        self._marked = False
        self._row: dict[str, Any] = {}

    def close(self) -> None:
        """Watch no more."""
        self.watch.close()

    def __call__(self, plan: MsgGenerator) -> MsgGenerator:
        """Run a plan under guard."""
        self._clear()
        reply, error = None, None
        while True:
            try:
                message = plan.send(reply) if error is None else plan.throw(error)
            except StopIteration as end:
                return end.value
            reply, error = None, None
            try:
                reply = yield from self._guarded(message)
            except GeneratorExit:
                plan.close()
                raise
            except Exception as thrown:  # noqa: BLE001  all that befalls the message is the plan's
                if not isinstance(thrown, RepeatPointError):
                    self._failure = self._failure or thrown
                error = thrown

    def _guarded(self, message: Msg) -> MsgGenerator[Any]:
        if message.command == "drop" and self._open and self._stream is None:
            return None  # it is dropped already
        try:
            yield from self._before(message)
            reply = yield message
        except (*KNOWN, *REFUSED):
            raise
        except Exception as error:  # noqa: BLE001  each client has its own words for a lost PV
            failure = error
            if message.command == "create":  # it may be done: a failed status is thrown in anywhere
                self._after(message, None)
        else:
            self._after(message, reply)
            return reply
        if self._failure:  # this follows from it, such as a baseline that cannot be read
            raise self._failure
        if not self._open:
            raise failure
        saved = message.command == "save" and (yield from self._is_saved())
        try:
            raise (yield from self._judged(failure))
        except RepeatPointError:
            if not saved:
                raise
        return None  # the point counts: what failed came after it

    def _is_saved(self) -> MsgGenerator[bool]:
        """Drop the event under way, if it was not saved before its message failed."""
        try:
            yield from bps.drop()
        except IllegalMessageSequence:
            return True
        return False

    def _tell(self, lost: str) -> None:
        """Say that a PV is lost, from whatever thread notices, though the plan waits for another."""
        if self._open:
            self._lost({"": lost})

    def _lost(self, losses: dict[str, str]) -> str:
        """Say that instruments are lost, once an outage; returns the words."""
        words = f"outage: {'; '.join(losses.values())}"
        if not self._outages.under_way:
            log.warning("%s; waiting up to %g s", words, self._patience)
            self._outages.begin(words)
        return words

    def _before(self, message: Msg) -> MsgGenerator[None]:
        if message.command == "open_run":
            self._clear()
            yield from self._may_start()
        elif self._open and message.command in ("trigger", "create") and not self._marked:
            self._marked = True
            for lock in self._monitored:
                if not lock.holds(self.watch.mark(lock.attribute)):
                    self._asked(lock)  # the monitor may be late
        elif message.command == "save" and self._stream not in (None, BASELINE):
            yield from self._may_count()

    def _after(self, message: Msg, reply: Any) -> None:
        if message.command == "open_run":
            self._open = True
        elif message.command == "close_run":
            self._clear()
        elif message.command == "set":
            self._state.moved(message.obj, message.args[0])
        elif message.command == "create":
            self._stream = message.kwargs.get("name") or message.args[0]
        elif message.command == "read" and reply:
            self._row |= reply
        elif message.command in ("save", "drop"):
            self._repeats = 0 if message.command == "save" else self._repeats
            self._next_event()
        elif message.command == "checkpoint":
            self._failure = None  # whatever it was, the plan goes on

    def _may_start(self) -> MsgGenerator[None]:
        """Raise unless all instruments answer and all interlocks hold.

        Raises:
            InterlockError: With everything that is wrong.
        """
        began = time.monotonic()
        while not self._up_to_date() and time.monotonic() - began < MOMENT:
            yield from bps.sleep(LOOK_PERIOD)
        wrong = list(filter(None, (pulse.silence() for pulse in self.watch.pulses.values())))
        if not wrong:
            asked = {lock: self._asked(lock) for lock in self._monitored}
            wrong = [lock.told(value) for lock, value in asked.items() if not lock.holds(value)]
        if wrong:
            raise InterlockError(f"{'; '.join(wrong)}: the run does not start")
        self._state.remember()
        lapsed = self.watch.lapsed()
        if lapsed:  # whoever has set it does not know
            raise InterlockError(f"{'; '.join(lapsed)}: the run does not start, the next one does")

    def _up_to_date(self) -> bool:
        """Whether all instruments are there, and their monitors have told what they are."""
        with suppress(DisconnectedError, TimeoutError):
            return self._back() and all(p.up_to_date() for p in self.watch.pulses.values())
        return False

    def _asked(self, lock: Interlock) -> float:
        """Ask for the value of an interlock; NaN when there is no answer."""
        try:
            return self.watch.ask(lock.attribute)
        except (DisconnectedError, TimeoutError):
            return float("nan")

    def _may_count(self) -> MsgGenerator[None]:
        """Let an event be saved, or deal with what speaks against it, and raise then."""
        if losses := self._losses():
            raise (yield from self._outage(losses))
        yield from self._must_hold()

    def _must_hold(self) -> MsgGenerator[None]:
        """Deal with the first interlock that did not hold all the time; it raises then."""
        for lock in [*self._monitored, *self._of_reading]:  # a monitor may be later than a reading
            values = [*self.watch.seen(lock.attribute), self._read(lock)]
            if bad := [value for value in values if not lock.holds(value)]:
                yield from self._tripped(lock, bad[0])

    def _read(self, lock: Interlock) -> float:
        """Return what the event holds of an interlock; a value that is good where it holds none."""
        return self._row.get(lock.attribute.replace(".", "_"), {}).get("value", lock.least)

    def _tripped(self, lock: Interlock, value: float) -> MsgGenerator[None]:
        """Do what an interlock asks for; it raises whatever comes of it."""
        words = lock.told(value)
        yield from self._dropped()
        if lock.action is Action.ABORT:
            raise InterlockError(words)
        log.warning(words)
        self._gap.begin(words)
        began = time.monotonic()
        if lock.action is Action.WAIT:
            while self._losses() or not lock.holds(self._asked(lock)):
                if time.monotonic() - began > self._patience:
                    raise InterlockError(f"{words}, for longer than {self._patience:g} s")
                yield from bps.sleep(LOOK_PERIOD)
        else:
            self._repeats += 1
            if self._repeats > REPEATS:
                raise InterlockError(f"{words}, {REPEATS} repetitions long")
            if lock.action is Action.RANGE:
                yield from bps.abs_set(self._bench["lockin"].auto_range, 1, wait=True)
                sensitivity = self._bench["lockin"].sensitivity
                self._state.moved(sensitivity, sensitivity.get())
        yield from self._gap.end()
        raise RepeatPointError(words)

    def _dropped(self) -> MsgGenerator[None]:
        if self._stream is not None:
            with suppress(IllegalMessageSequence):  # saved, or dropped, when it failed
                yield from bps.drop()
        self._next_event()
        yield from bps.checkpoint()  # a pause from here on does not go back

    def _losses(self) -> dict[str, str]:
        """Return the instruments that are lost or have lost their state, and why."""
        losses = {name: pulse.loss() for name, pulse in self.watch.pulses.items()}
        return {name: words for name, words in losses.items() if words}

    def _judged(self, failure: Exception) -> MsgGenerator[Exception]:
        """Return what the plan is to see of a failure, after the outage if there is one."""
        began = time.monotonic()
        while not (losses := self._losses()):
            if all(pulse.last > began for pulse in self.watch.pulses.values()):
                # all of them live: it has another cause, perhaps one that is watched
                if self._marked:
                    yield from self._must_hold()
                return (yield from self._after_an_outage(in_words(failure)))
            yield from bps.sleep(LOOK_PERIOD)
        return (yield from self._outage(losses))

    def _outage(self, losses: dict[str, str]) -> MsgGenerator[RepeatPointError]:
        """Wait until all instruments are back, restore their state, and record the gap.

        Raises:
            OutageError: When they do not come back in time, or not as they were.
        """
        words = self._lost(losses)
        yield from self._dropped()
        began = time.monotonic()
        restored: list[str] | None = None
        while restored is None:
            losses |= self._losses()
            if time.monotonic() - began > self._patience:
                raise OutageError(f"{words}, for longer than {self._patience:g} s")
            yield from bps.sleep(LOOK_PERIOD)
            if self._back():
                losses |= self._losses()
                self._renew()
                with suppress(DisconnectedError, TimeoutError):  # lost again: wait on
                    restored = yield from self._state.restore(losses)
        for name in losses:
            self.watch.pulses[name].remember()
        log.warning("%s; over, restored: %s", words, "; ".join(restored) or "nothing")
        yield from self._outages.end(restored)
        self._over = time.monotonic()
        return RepeatPointError(words)

    def _after_an_outage(self, failure: Exception) -> MsgGenerator[Exception]:
        """Return what the plan is to see of a failure; shortly after an outage, that it may repeat."""
        if time.monotonic() - self._over > AFTERMATH:
            return failure
        log.warning("after an outage: %s; once more", failure)
        yield from self._dropped()
        return RepeatPointError(str(failure))

    def _back(self) -> bool:
        silent = any(pulse.silence() for pulse in self.watch.pulses.values())
        return not silent and all(instrument.connected for instrument in self._bench.values())
