"""A reading is one row, settled, and its own."""

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
