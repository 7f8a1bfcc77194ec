"""Tripped interlocks: no point counts during a trip, and no run starts on one."""

import time
from math import isfinite

import bluesky.plan_stubs as bps
import bluesky.plans as bp
import pytest
from guarded import (
    FIELDS,
    all_points_are_good,
    connected,
    events,
    lab,
    rack,
    rows,
    scan,
    stop_of,
    undisturbed,
)

from odmrlab.plans import InterlockError, RepeatPointError
from odmrlab.plans.points import one_step

pytestmark = [pytest.mark.layer, pytest.mark.timeout(120)]


@pytest.mark.parametrize(("name", "what"), [("laser", "mode-lock loss"), ("rf", "unlevelled")])
def test_trip_that_passes_is_waited_for(lab, undisturbed, name, what):
    def trip():
        lab.fault(name, what)
        time.sleep(1.0)
        lab.fault(name, "none")

    session = lab.session(4, trip)
    assert session.RE(scan(lab)).exit_status == "success"
    assert all_points_are_good(session, undisturbed)
    (gap,) = events(session, "interlocks")
    assert "interlock: the " in gap["data"]["interlocks_reason"]
    assert gap["data"]["interlocks_ended"] - gap["data"]["interlocks_began"] > 0.2


def test_temperature_that_wanders_is_waited_for(lab):
    session = lab.session(4, lambda: lab.cryostat.temperature.put(6.0, wait=False))
    assert session.RE(scan(lab)).exit_status == "success"
    reasons = [gap["data"]["interlocks_reason"] for gap in events(session, "interlocks")]
    assert reasons and all("the temperature is not stable" in reason for reason in reasons)
    assert set(rows(session, "magnet_field")) == set(FIELDS)


@pytest.mark.parametrize(
    ("name", "what", "words"),
    [
        ("magnet", "quench", "quenched"),
        ("cryostat", "helium low", r"helium is low \[%\], cryostat.helium_level is \S+; needs at"),
        ("cryostat", "NaN readback", "cryostat.helium_level is nan; needs at least 10"),
        ("cryostat", "invalid alarm", "cryostat.helium_level is nan; needs at least 10"),
        ("rf", "unlevelled", "rf.levelled is 0; needs 1, for longer than 0.5 s"),
    ],
)
def test_trip_that_does_not_pass_ends_safe_without_its_point(lab, name, what, words):
    began = []

    def trip():
        lab.fault(name, what)
        began.append(time.time())

    session = lab.session(4, trip, patience=0.5)
    with pytest.raises(Exception, match=words):
        session.RE(scan(lab))
    assert all(event["time"] < began[0] + 0.1 for event in events(session, "primary"))
    assert stop_of(session)["exit_status"] == "fail"
    assert (lab.rf.output.get(), lab.laser.shutter.get()) == ("Off", "Closed")


def test_quench_that_is_read_before_its_monitor_tells_it_counts(lab, monkeypatch):
    session, created = lab.session(), []
    monkeypatch.setattr(session.guard.watch, "seen", lambda attribute: [])

    def at(message) -> None:
        if message.command == "create" and message.kwargs.get("name") == "primary":
            created.append(message)
            if len(created) == 4:
                lab.fault("magnet", "quench")
                deadline = time.monotonic() + 5
                while not lab.magnet.quenched.get() and time.monotonic() < deadline:
                    time.sleep(0.001)

    session.RE.msg_hook = at
    with pytest.raises(InterlockError, match="the magnet has quenched, magnet.quenched is 1"):
        session.RE(scan(lab))
    assert len(events(session, "primary")) == 3


def test_failure_that_comes_of_a_trip_is_told_as_one(lab, monkeypatch):
    session, triggered, trigger = lab.session(), [], lab.lockin.trigger

    def fails():
        triggered.append(1)
        if len(triggered) != 4:  # the first was for the baseline
            return trigger()
        lab.fault("cryostat", "NaN readback")
        deadline = time.monotonic() + 5
        while isfinite(lab.cryostat.helium_level.get()) and time.monotonic() < deadline:
            time.sleep(0.001)
        raise RuntimeError("lockin: shot 3 is no number")

    monkeypatch.setattr(lab.lockin, "trigger", fails)
    with pytest.raises(InterlockError, match="cryostat.helium_level is nan; needs at least 10"):
        session.RE(scan(lab))
    assert len(events(session, "primary")) == 2


@pytest.mark.parametrize(
    ("name", "what", "words"),
    [
        ("laser", "mode-lock loss", "laser.mode_locked is 0; needs 1"),
        ("magnet", "quench", "magnet.quenched is 1; needs 0"),
    ],
    ids=["mode-lock", "quench"],
)
def test_run_does_not_start_on_a_tripped_interlock(lab, name, what, words):
    lab.fault(name, what)
    session = lab.session()
    with pytest.raises(InterlockError, match=f"{words}: the run does not start"):
        session.RE(scan(lab))
    assert session.documents == []


def test_overloaded_lockin_finds_its_range_and_repeats(lab):
    lab.lockin.sensitivity.set(1e-6).wait(5)
    session = lab.session()
    session.RE(scan(lab))
    assert rows(session, "magnet_field") == FIELDS and set(rows(session, "lockin_overload")) == {0}
    assert lab.lockin.sensitivity.get() > 1e-6 and events(session, "interlocks")


def test_lockin_without_reference_is_no_measurement(lab):
    lab.rf.modulation.set("Off").wait(5)
    session = lab.session()
    with pytest.raises(
        InterlockError, match="no reference, lockin.unlocked is 1; .* 3 repetitions"
    ):
        session.RE(scan(lab))
    assert rows(session, "lockin_x") == []


def test_plan_that_cannot_repeat_fails_and_records_nothing_bad(lab):
    def trip():
        lab.fault("laser", "mode-lock loss")
        time.sleep(0.4)
        lab.fault("laser", "none")

    session = lab.session(3, trip)
    with pytest.raises(RepeatPointError, match="mode_locked is 0"):
        session.RE(bp.count([lab.lockin], 40))
    assert len(rows(session, "lockin_x")) in (3, 4)


def test_warming_on_purpose_is_no_trip(lab):
    session = lab.session()
    session.RE(bp.list_scan([lab.lockin], lab.cryostat, [3.0, 4.0, 1.6], per_step=one_step))
    assert rows(session, "cryostat_temperature") == [3.0, 4.0, 1.6]


def test_no_interlocks_is_a_choice(lab):
    lab.fault("laser", "mode-lock loss")
    session = lab.session(interlocks=())
    assert session.RE(bp.count([lab.lockin])).exit_status == "success"
    session.RE(bps.null())
