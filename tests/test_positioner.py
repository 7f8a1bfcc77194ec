"""A motion ends with success only where it was asked to end."""

import time
from threading import Timer

import pytest
from ophyd.utils import LimitError

from odmrlab.devices import MoveError

pytestmark = pytest.mark.layer


def test_move_is_done_when_the_readback_is_there(bench):
    bench.magnet.set(60.0).wait(10)
    assert bench.magnet.field_readback.get() == 60.0
    assert bench.magnet.ramping.get() == 0


def test_readback_moves_on_the_way(bench):
    bench.magnet.ramp_rate.set(0.5).wait(5)
    status = bench.magnet.set(142.5)  # 0.4 s of the wall
    seen = set()
    while not status.done:
        seen.add(bench.magnet.field_readback.get())
    status.wait(1)
    assert len(seen) > 5 and min(seen) < 70 < max(seen)


def test_temperature_and_photon_energy_arrive(bench):
    bench.cryostat.set(4.0).wait(10)
    assert (bench.cryostat.temperature_readback.get(), bench.cryostat.stable.get()) == (4.0, 1)
    bench.cryostat.set(1.6).wait(10)
    bench.laser.energy.set(1.80).wait(10)
    assert (bench.laser.energy_readback.get(), bench.laser.tuning.get()) == (1.80, 0)
    bench.laser.energy.set(1.824).wait(10)


def test_stop_holds_the_field_and_fails_the_move(bench):
    bench.magnet.ramp_rate.set(0.5).wait(5)
    status = bench.magnet.set(442.5)  # 1.6 s of the wall
    Timer(0.2, bench.magnet.stop).start()
    with pytest.raises(MoveError, match="its set point became .* it was stopped"):
        status.wait(10)
    held = bench.magnet.field_readback.get()
    assert 42.5 < held < 442 and bench.magnet.field.get() == held
    assert bench.magnet.field_readback.get() == held


def test_another_client_fails_the_move(bench):
    bench.magnet.ramp_rate.set(0.5).wait(5)
    status = bench.magnet.set(442.5)
    Timer(0.2, lambda: bench.magnet.field.put(0.0, force=True)).start()
    with pytest.raises(MoveError, match="set point became 0.0; .* another client moved it"):
        status.wait(10)


def test_stuck_readback_fails_the_move(bench, monkeypatch):
    field = bench.magnet.field
    monkeypatch.setattr(field, "_patience", 0.3)
    monkeypatch.setattr(bench.magnet.field_readback, "get", lambda: 50.0)
    began = time.monotonic()
    with pytest.raises(MoveError, match="asked for 60.0, rests at 50.0; came no closer in 0.3 s"):
        bench.magnet.set(60.0).wait(10)
    assert time.monotonic() - began < 3


def test_field_out_of_reach_moves_nothing(bench):
    with pytest.raises(LimitError, match=r"asked for 501 \[mT\]; needs a number from -500 to 500"):
        bench.magnet.set(501)
    assert bench.magnet.field.get() == 42.5
