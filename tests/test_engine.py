"""Ctrl-C at any moment: the engine is idle or paused, its run closed, nothing is torn."""

import os
import signal
import threading
import time
from types import SimpleNamespace

import bluesky.plan_stubs as bps
import bluesky.preprocessors as bpp
import pytest
from bluesky.utils import RunEngineInterrupted, TransitionError
from ophyd import Signal
from ophyd.status import Status

from odmrlab.lab.engine import Engine
from odmrlab.lab.interruptions import APART, MOST, Interruptions
from odmrlab.plans import left_safe


@pytest.fixture
def documents() -> list:
    return []


@pytest.fixture
def engine(documents):
    """Make engines; with ``at`` a function that is called with the number of every message."""

    def make(at=lambda number: None, **more) -> Engine:
        made, numbers = Engine(call_returns_result=True, **more), iter(range(10_000))
        made.msg_hook = lambda _: at(next(numbers))
        made.subscribe(lambda *pair: documents.append(pair))
        return made

    return make


def interrupt(times: int = 1, every: float = 1.5 * APART) -> None:
    for _ in range(times):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(every)


def at_message(number: int, times: int = 1):
    """Return what interrupts at one message, and keeps the engine there until that is known."""

    def at(reached: int) -> None:
        if reached == number:
            interrupt(times)

    return at


SAFE = {"rf": 0, "light": 0, "heater": 0}


@pytest.fixture
def bench() -> SimpleNamespace:
    """Give three things that are on."""
    return SimpleNamespace(**{name: Signal(name=name, value=1) for name in SAFE})


@pytest.fixture
def plan(bench):
    """Make plans that leave the bench safe, however they end."""

    def steps():
        for _ in range(4):
            yield from bps.checkpoint()
            yield from bps.sleep(0.05)

    return lambda: left_safe(bpp.run_wrapper(steps()), bench, SAFE, SAFE)


def is_safe(bench) -> bool:
    return {name: signal.get() for name, signal in vars(bench).items()} == SAFE


def stop_of(documents) -> dict:
    (stop,) = [doc for name, doc in documents if name == "stop"]
    return stop


def test_first_interruption_pauses_and_the_plan_goes_on(engine, plan, documents, capsys):
    RE = engine(at_message(3))
    with pytest.raises(RunEngineInterrupted, match=r"RE.resume\(\)"):
        RE(plan())
    assert RE.state == "paused" and "Ctrl-C once more aborts" in capsys.readouterr().out
    with pytest.raises(TransitionError, match=r"RE: another plan is paused; needs RE.resume\(\)"):
        RE(plan())
    assert RE.resume().exit_status == "success"
    assert stop_of(documents)["exit_status"] == "success"


@pytest.mark.parametrize("number", range(18))
@pytest.mark.parametrize(("attended", "times"), [(True, 2), (True, 3), (False, 1)])
def test_interruption_at_every_message_closes_the_run(
    engine, plan, bench, documents, number, attended, times
):
    RE = engine(at_message(number, times), attended=attended)
    began = threading.active_count()
    try:
        RE(plan())
    except RunEngineInterrupted as told:
        assert "interrupted by Ctrl-C" in str(told)
    except KeyboardInterrupt:  # too late for this plan
        pass
    assert RE.state == "idle"
    assert not documents or stop_of(documents)["exit_status"] in ("abort", "success")
    assert not documents or is_safe(bench)
    assert threading.active_count() <= began + 1
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_second_interruption_does_not_wait_for_the_next_point(engine, documents):
    began, ended = time.monotonic(), None
    try:
        engine(at_message(1, 2))(bpp.run_wrapper(bps.sleep(20)))
    except (RunEngineInterrupted, KeyboardInterrupt) as error:
        ended = error
    assert "interrupted by Ctrl-C" in str(ended)
    assert time.monotonic() - began < 10
    assert stop_of(documents)["exit_status"] == "abort"


def test_put_that_is_refused_for_one_on_its_way_is_tried_again(engine, plan, bench, monkeypatch):
    refusals, put = [], bench.rf.set

    def busy(value):
        if len(refusals) < 2:
            refusals.append(value)
            raise RuntimeError("Another set() call is still in progress for rf")
        return put(value)

    monkeypatch.setattr(bench.rf, "set", busy)
    assert engine()(plan()).exit_status == "success"
    assert len(refusals) == 2 and is_safe(bench)


def test_interruption_without_a_point_to_pause_at_is_not_forgotten(engine):
    with pytest.raises(KeyboardInterrupt):
        engine(at_message(0))(bps.sleep(0.3))


def test_paused_plan_is_ended_with_its_reason(engine, plan, bench, documents):
    RE = engine(at_message(3))
    with pytest.raises(RunEngineInterrupted):
        RE(plan())
    RE.end("its session was closed")
    assert RE.state == "idle" and is_safe(bench)
    stop = stop_of(documents)
    assert (stop["exit_status"], stop["reason"]) == ("abort", "its session was closed")
    RE.end("once more")


def test_interruption_of_an_abort_does_not_tear_it(engine, plan, bench, documents):
    RE = engine(at_message(3))
    with pytest.raises(RunEngineInterrupted):
        RE(plan())
    RE.msg_hook = lambda _: interrupt()
    RE.abort("by hand")
    assert RE.state == "idle" and is_safe(bench)
    assert stop_of(documents)["reason"] == "by hand"


def test_plan_at_its_end_can_be_neither_paused_nor_aborted(engine):
    RE, refused = engine(), []

    class Slow:
        """Takes its time to stop, when the plan is over."""

        name, parent = "slow", None

        def set(self, value):
            status = Status()
            status.set_finished()
            return status

        def stop(self, *, success=False):
            for ask in (RE._abort_coro("late"), RE._request_pause_coro()):
                with pytest.raises(TransitionError, match="at its end"):
                    ask.send(None)
                refused.append(ask)

    assert RE(bps.mv(Slow(), 1)).exit_status == "success"
    assert len(refused) == 2 and RE.state == "idle"


def test_key_that_is_held_down_counts_once():
    interruptions = Interruptions()
    with interruptions.held():
        for _ in range(5):
            os.kill(os.getpid(), signal.SIGINT)
        assert interruptions.count == 1


def test_plan_that_hangs_beyond_help_is_left_at_the_tenth():
    interruptions, seen = Interruptions(), []
    with pytest.raises(KeyboardInterrupt), interruptions.held():
        for _ in range(MOST + 1):
            time.sleep(1.1 * APART)
            seen.append(1)
            os.kill(os.getpid(), signal.SIGINT)
    assert len(seen) == MOST
