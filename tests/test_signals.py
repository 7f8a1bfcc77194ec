"""A setting keeps its word, on both control layers."""

import time

import pytest
from laboratory import SPARE_PORT, ioc
from ophyd.utils import DisconnectedError, LimitError

from odmrlab.devices import NotConnectedError, RefusedError, Rf, wait_for_all

pytestmark = pytest.mark.layer


def test_setting_is_done_when_the_pv_holds_it(bench):
    bench.rf.frequency.set(1.234).wait(5)
    assert bench.rf.frequency.get() == 1.234


def test_choice_is_set_by_name(bench):
    bench.rf.output.set("Off").wait(5)
    assert bench.rf.output.get() == "Off"


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        (4.5, LimitError, r"rf_frequency: asked for 4.5 \[GHz\]; needs a number from 0.05 to 4"),
        (float("nan"), LimitError, "asked for nan"),
        ("1.0", TypeError, "asked for '1.0'; needs a number"),
        (True, TypeError, "asked for True"),
        ([1.0], TypeError, "asked for"),
    ],
)
def test_bad_value_is_never_sent(bench, value, error, words):
    before = bench.rf.frequency.get()
    with pytest.raises(error, match=words):
        bench.rf.frequency.set(value)
    assert bench.rf.frequency.get() == before


def test_unknown_choice_is_never_sent(bench):
    with pytest.raises(ValueError, match="asked for 'Half'; needs one of: Off, On"):
        bench.rf.output.set("Half")


def test_refused_put_fails_at_once_with_the_words_of_the_instrument(bench):
    began = time.monotonic()
    with pytest.raises(
        RefusedError, match="asked for 7, .*holds 24; .* needs one of 6, 12, 18, 24"
    ):
        bench.lockin.filter_slope.set(7).wait(5)
    assert time.monotonic() - began < 1


def test_put_beyond_the_limits_is_refused_by_the_ioc_too(bench, monkeypatch):
    monkeypatch.setattr(bench.rf.frequency, "check_value", lambda value: None)
    with pytest.raises(
        RefusedError, match=r"holds 1.0; rf: frequency was refused: needs 0.05 to 4"
    ):
        bench.rf.frequency.set(9.0).wait(5)


def test_readings_are_plain_python(bench):
    for device in (bench.magnet, bench.rf, bench.laser, bench.cryostat, bench.lockin):
        values = {**device.read(), **device.read_configuration()}.values()
        assert {type(reading["value"]) for reading in values} <= {int, float, str}


def test_subscribed_callback_is_called_once_per_change(bench):
    seen = []
    bench.rf.power.subscribe(lambda value, **_: seen.append(value), run=False)
    deadline = time.monotonic() + 5
    for power in (-1.0, -2.0, -3.0):
        bench.rf.power.set(power).wait(5)
    while (not seen or seen[-1] != -3.0) and time.monotonic() < deadline:
        time.sleep(0.01)
    bench.rf.power.unsubscribe_all()
    assert [value for value in seen if value < 0].count(-2.0) <= 2  # put and monitor, not more


def test_missing_pvs_are_named_with_the_place_where_they_were_looked_for(rack):
    began = time.monotonic()
    words = r"no answer from NOBODY:Rf:.* and \d+ more at 127.0.0.1:"
    with pytest.raises(NotConnectedError, match=words):
        wait_for_all([Rf("NOBODY:Rf:", name="rf")], timeout=1)
    assert time.monotonic() - began < 5


def test_lost_pv_fails_at_once():
    """Kill an IOC for real."""
    with ioc("rf", "--prefix", "LOST:", port=SPARE_PORT) as process:
        rf = Rf("LOST:Rf:", name="rf")
        wait_for_all([rf], timeout=10)
        process.kill()
        process.wait()
        began = time.monotonic()
        while rf.frequency.connected and time.monotonic() - began < 5:
            time.sleep(0.01)
        for action in (rf.frequency.get, lambda: rf.frequency.set(1.5).wait(5)):
            with pytest.raises(DisconnectedError, match="LOST:Rf:Frequency is lost; needs its IOC"):
                action()
        assert time.monotonic() - began < 1
