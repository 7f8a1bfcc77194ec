"""A heart that does not beat is told, though its circuit stands."""

import time

import pytest

from odmrlab.devices.watch import SILENCE, Pulse, Watch

pytestmark = pytest.mark.layer


@pytest.fixture
def pulse(bench):
    made = Pulse(bench.rf)
    for monitor in made.monitors:
        monitor.wait_until_heard()
    yield made
    for monitor in made.monitors:
        monitor.destroy()


def test_heart_that_does_not_beat_is_told_until_it_beats_again(pulse):
    assert pulse.silence() == ""
    (first,) = [n for n in range(1, 100) if pulse.look(0.1)]
    assert SILENCE < 0.1 * first + 1e-6 < SILENCE + 0.2
    assert "Rf:Heartbeat has not beaten for " in pulse.silence()
    deadline = time.monotonic() + 10
    while pulse.silence() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert pulse.silence() == ""


def test_process_that_did_not_get_to_run_takes_no_ioc_for_hung(pulse):
    assert not pulse.look(60.0) and pulse.silence() == ""


def test_hung_ioc_is_told_in_time_without_being_asked(bench):
    told: list[str] = []
    watch = Watch({"rf": bench.rf}, (), told.append)
    try:
        heartbeat = watch.pulses["rf"].heartbeat
        heartbeat.clear_sub(heartbeat._hear)
        began = time.monotonic()
        while not told and time.monotonic() - began < 10:
            time.sleep(0.01)
        assert "Rf:Heartbeat has not beaten for 2." in told[0]
        assert time.monotonic() - began < 3
    finally:
        watch.close()


def test_ioc_that_is_not_what_it_was_is_told(pulse):
    pulse.remember()
    assert pulse.loss() == ""
    pulse.heartbeat.losses += 1
    assert "was lost for a moment" in pulse.loss()
    pulse.remember()
    pulse._owner.last = "somebody"
    assert pulse.loss() == "the lease of rf has lapsed and is held by somebody"
    pulse.remember()
    pulse._boot.last = "another"
    assert pulse.loss() == "the IOC of rf was started anew"
