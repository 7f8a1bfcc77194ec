"""Killed, hung, restarted and cut-off IOCs: no point is lost, wrong or stale."""

import os
import re
import threading
import time

import bluesky.plan_stubs as bps
import bluesky.plans as bp
import pytest
from bluesky.utils import FailedStatus
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
from laboratory import drop_circuits

from odmrlab.devices import Lease, wait_for_all
from odmrlab.plans import InterlockError, find_resonance

pytestmark = [pytest.mark.layer, pytest.mark.timeout(120)]


@pytest.mark.parametrize(
    ("do", "why"),
    [
        (lambda rack: rack.restart(0.0), "was started anew|is lost"),
        (lambda rack: rack.restart(2.0), "is lost|was started anew"),
        (lambda rack: rack.hang(4.5), "has not beaten|is lost"),
    ],
    ids=["restarted at once", "restarted after 2 s", "hung for 4.5 s"],
)
def test_outage_is_ridden_out_and_recorded(lab, rack, undisturbed, do, why):
    session = lab.session(4, lambda: do(rack))
    assert session.RE(scan(lab)).exit_status == "success"
    assert all_points_are_good(session, undisturbed)
    gaps = events(session, "outages")
    assert gaps and re.search(why, gaps[0]["data"]["outages_reason"])
    assert gaps[0]["data"]["outages_ended"] > gaps[0]["data"]["outages_began"] > 0
    if "hung" not in os.environ["PYTEST_CURRENT_TEST"]:
        restored = " ".join(gap["data"]["outages_restored"] for gap in gaps)
        assert "rf.output from Off to On" in restored and "laser.shutter" in restored


def test_outage_in_a_plan_that_decides_by_its_readings(lab, rack):
    session = lab.session(6, lambda: rack.restart(0.5))
    found = session.RE(find_resonance(lab.lockin, lab.magnet, 0, 100, 25)).plan_result
    assert found == pytest.approx(42.53, abs=1.5)
    assert len(rows(session, "lockin_x")) == 25 + 9 and events(session, "outages")


def test_outage_beyond_the_patience_ends_the_plan_and_names_the_pv(lab, rack):
    session = lab.session(4, rack.kill, patience=0.5)
    began = time.monotonic()
    with pytest.raises(Exception, match="G:.* is lost"):
        session.RE(scan(lab))
    assert time.monotonic() - began < 15
    assert len(rows(session, "lockin_x")) in (4, 5)
    assert stop_of(session)["exit_status"] == "fail" and "is lost" in stop_of(session)["reason"]


def test_run_does_not_start_on_a_hung_ioc(lab, rack):
    session = lab.session()
    hanging = threading.Thread(target=rack.hang, args=(3.0,))
    hanging.start()
    time.sleep(0.1)
    with pytest.raises(InterlockError, match="the run does not start"):
        session.RE(scan(lab))
    hanging.join()
    assert session.documents == []


def test_refused_setting_is_no_outage(lab):
    session = lab.session()
    lab.fault("rf", "refused puts")
    with pytest.raises(Exception, match="a fault refuses every put"):
        session.RE(bp.list_scan([lab.lockin], lab.rf.power, [1.0, 2.0]))
    assert events(session, "outages") == []


def test_restarted_ioc_is_used_again_within_a_second(lab, rack):
    session = lab.session()
    rack.kill()
    time.sleep(2.0)  # by then libca alone would look for it every few seconds
    rack.start()
    began = time.monotonic()
    while not session.guard._back() and time.monotonic() - began < 20:
        time.sleep(0.01)
    assert time.monotonic() - began < 1


def test_lost_instrument_is_told_while_the_plan_waits_for_something_else(lab, rack, caplog):
    session, told = lab.session(patience=0.3), []

    def waits():
        yield from bps.open_run()
        rack.kill()
        for _ in range(100):
            yield from bps.sleep(0.05)
            if "Heartbeat is lost; waiting" in caplog.text:
                told.append(True)
                break
        yield from bps.close_run()

    with pytest.raises(Exception, match="is lost"):  # there is no baseline of the end
        session.RE(waits())
    assert told


def test_circuit_that_is_lost_for_a_moment_does_not_keep_a_run_from_starting(lab):
    session = lab.session()
    drop_circuits(lab.faults["rf"], lab.rf.output)
    assert session.RE(bp.count([lab.lockin])).exit_status == "success"


def test_clock_that_jumps_by_an_hour_is_no_outage(lab, undisturbed, monkeypatch):
    now = time.time
    session = lab.session(4, lambda: monkeypatch.setattr(time, "time", lambda: now() - 3600))
    assert session.RE(scan(lab)).exit_status == "success"
    assert all_points_are_good(session, undisturbed)
    assert not events(session, "outages") and not events(session, "interlocks")
    assert events(session, "primary")[-1]["time"] < now() - 3000


def test_instrument_that_is_lost_while_it_is_read_costs_no_point(lab, undisturbed):
    session, reads = lab.session(), []

    def at(message) -> None:
        if message.command == "read" and message.obj is lab.magnet:
            reads.append(message)
            if len(reads) == 4:  # the first is of the baseline
                drop_circuits(lab.faults["magnet"], lab.magnet.field)

    session.RE.msg_hook = at
    assert session.RE(scan(lab)).exit_status == "success"
    assert all_points_are_good(session, undisturbed) and events(session, "outages")


def test_lease_that_lapsed_before_a_run_is_told(lab):
    session = lab.session()
    session.lease._ended.set()  # as if this process had been stopped
    deadline = time.monotonic() + 10
    while lab.rf.lease_owner.get() and time.monotonic() < deadline:
        time.sleep(0.05)
    session.lease.renew()
    with pytest.raises(InterlockError, match="the lease of rf has lapsed, so it was made safe"):
        session.RE(scan(lab))
    assert session.documents == [] and lab.rf.output.get() == "Off"


def test_ioc_that_was_started_anew_between_two_runs_is_told(lab, rack):
    session = lab.session()
    assert session.RE(bp.count([lab.lockin])).exit_status == "success"
    rack.restart(0)
    wait_for_all(session.instruments, timeout=20)
    with pytest.raises(InterlockError, match="IOC of rf was started anew, with the settings that"):
        session.RE(scan(lab))
    wait_for_all(session.instruments, timeout=20)
    assert session.RE(bp.count([lab.lockin])).exit_status == "success"
    assert len([name for name, _ in session.documents if name == "start"]) == 2


def test_lease_that_lapsed_before_the_watch_began_is_told(lab, monkeypatch):
    made = Lease.__init__

    def slowly(lease, *args) -> None:
        made(lease, *args)
        lease.owners["rf"] = "who held it before it lapsed"

    monkeypatch.setattr(Lease, "__init__", slowly)
    with pytest.raises(InterlockError, match="the lease of rf has lapsed, so it was made safe"):
        lab.session().RE(scan(lab))


def test_point_that_was_saved_when_something_failed_is_not_taken_again(lab):
    session, saved = lab.session(), []

    def at(message) -> None:
        saved.extend([message] * (message.command == "save"))
        if message.command == "save" and len(saved) == 4:
            session.RE._exception = FailedStatus("a motion that nobody waits for")  # as of a status
            drop_circuits(lab.faults["rf"], lab.rf.output)

    session.RE.msg_hook = at
    assert session.RE(scan(lab)).exit_status == "success"
    assert rows(session, "magnet_field") == FIELDS and events(session, "outages")
