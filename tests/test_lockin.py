"""A reading is one row, settled, and its own."""

import json
import time

import bluesky.plan_stubs as bps
import bluesky.plans as bp
import pytest

from odmrlab.devices import RefusedError

pytestmark = pytest.mark.layer


def test_reading_is_the_row_of_its_own_shot(bench):
    before = bench.lockin.shot.get()
    bench.lockin.trigger().wait(10)
    row = {key: reading["value"] for key, reading in bench.lockin.read().items()}
    assert row["lockin_shot"] == before + 1
    assert row["lockin_x"] == bench.lockin.x.get() and row["lockin_y"] == bench.lockin.y.get()
    assert (row["lockin_overload"], row["lockin_unlocked"]) == (0, 0)
    assert row["lockin_x"] > 10 * row["lockin_x_error"] > 0


def test_every_column_is_described_with_its_unit(bench):
    described = bench.lockin.describe()
    assert described.keys() == bench.lockin.read().keys()
    units = {key: described[f"lockin_{key}"]["units"] for key in ("x", "y", "x_error", "y_error")}
    assert set(units.values()) == {"V"}


def test_reading_without_reference_says_so(bench):
    bench.rf.modulation.set("Off").wait(5)
    bench.lockin.trigger().wait(10)
    assert bench.lockin.read()["lockin_unlocked"]["value"] == 1
    assert bench.lockin.reference_frequency.get() == 0


def test_overloaded_reading_says_so(bench):
    bench.lockin.sensitivity.set(1e-6).wait(5)
    bench.lockin.trigger().wait(10)
    assert bench.lockin.read()["lockin_overload"]["value"] == 1


def test_reading_that_was_not_taken_is_an_error(bench, monkeypatch):
    shot = bench.lockin.shot
    monkeypatch.setattr(shot, "get", lambda: -5)
    with pytest.raises(RefusedError, match="asked for shot -4, .* -4 is not new; needs more than"):
        bench.lockin.trigger().wait(10)


def test_settled_reading_says_so(bench):
    bench.lockin.trigger().wait(10)
    assert bench.lockin.read()["lockin_unsettled"]["value"] == 0


def test_reading_on_a_ramp_says_that_it_is_unsettled(bench):
    bench.lockin.settling_limit.set(1.0).wait(5)
    bench.magnet.ramp_rate.set(0.01).wait(5)
    ramp = bench.magnet.set(60)
    bench.lockin.trigger().wait(10)
    flag = bench.lockin.read()["lockin_unsettled"]["value"]
    bench.magnet.stop()
    bench.lockin.settling_limit.set(30.0).wait(5)
    assert flag == 1 and not ramp.success


def test_automatic_range_holds_the_signal(bench):
    bench.lockin.sensitivity.set(1.0).wait(5)
    bench.lockin.auto_range.set(1).wait(10)
    bench.lockin.trigger().wait(10)
    row = bench.lockin.read()
    assert row["lockin_overload"]["value"] == 0
    assert abs(row["lockin_x"]["value"]) < bench.lockin.sensitivity.get() < 1e-4


def test_automatic_phase_without_a_signal_is_an_error(bench):
    bench.rf.output.set("Off").wait(5)
    with pytest.raises(RefusedError, match="auto_phase was refused: the signal is .* needs 4"):
        bench.lockin.auto_phase.set(1).wait(10)


def test_output_lives_between_readings(bench):
    bench.lockin.trigger().wait(10)
    held, seen = bench.lockin.x.get(), set()
    deadline = time.monotonic() + 5
    while len(seen) < 3 and time.monotonic() < deadline:
        seen.add(bench.lockin.live_x.get())
    assert len(seen) == 3 and bench.lockin.x.get() == held
    assert max(seen) == pytest.approx(held, rel=0.5)


def test_buffer_is_a_detector_of_its_own(bench, RE, documents):
    buffer = bench.lockin.buffer
    RE(bps.mv(buffer.size, 50, buffer.rate, 100.0))
    RE(bp.count([buffer]))
    (event,) = [doc for name, doc in documents if name == "event"]
    columns = [event["data"][f"lockin_buffer_{name}"] for name in ("x", "y", "field", "time")]
    assert [len(column) for column in columns] == [50] * 4
    assert columns[2] == pytest.approx([42.5] * 50)
    json.dumps(event)
    assert not any("buffer" in key for key in bench.lockin.read())


def test_buffer_that_is_filling_refuses_another_run(bench):
    buffer = bench.lockin.buffer
    buffer.size.set(5000).wait(5)
    buffer.rate.set(5.0).wait(5)
    before, first = buffer.filled.get(), buffer.trigger()
    while buffer.filled.get() == before:
        time.sleep(0.01)
    with pytest.raises(RefusedError, match="the buffer is filling; needs"):
        buffer.trigger().wait(10)
    buffer.halt.put(1)
    first.wait(10)
    assert len(buffer.x.get()) < 5000


def test_reading_that_is_no_number_is_an_error(bench, monkeypatch):
    lockin = bench.lockin
    fetched = lockin._fetch
    monkeypatch.setattr(lockin, "_fetch", lambda: fetched() | {"x": float("nan")})
    with pytest.raises(RefusedError, match="is no number"):
        lockin.trigger().wait(20)
