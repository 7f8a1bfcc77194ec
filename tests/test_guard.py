"""Killed, hung and restarted IOCs, and tripped interlocks: no point is lost, wrong or stale."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from math import isfinite

import bluesky.plan_stubs as bps
import bluesky.plans as bp
import pytest
from bluesky.utils import FailedStatus
from laboratory import SPARE_PORT, devices
from ophyd import EpicsSignal

from odmrlab.devices import Lease, wait_for_all
from odmrlab.lab.session import Instruments, Session
from odmrlab.lab.settings import Settings
from odmrlab.plans import InterlockError, RepeatPointError, find_resonance, odmr
from odmrlab.plans.points import one_step

pytestmark = [pytest.mark.layer, pytest.mark.timeout(120)]
PATIENCE = 20.0  # s
POINTS = 12
FIELDS = [20 + 5.0 * n for n in range(POINTS)]  # mT


class Rack:
    """An IOC process that can be killed and started anew."""

    def __init__(self):
        self.process = None

    def start(self) -> None:
        command = [sys.executable, "-m", "odmrlab.ioc", "--port", SPARE_PORT, "--prefix", "G:"]
        command += ["--speed", 500, "--seed", 7, "--faults"]
        self.process = subprocess.Popen(
            [str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert self.process.stdout.readline() == b"ready\n"

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)
        self.process.stdout.close()

    def restart(self, after: float) -> None:
        self.kill()
        time.sleep(after)
        self.start()

    def hang(self, seconds: float) -> None:
        os.kill(self.process.pid, signal.SIGSTOP)
        time.sleep(seconds)
        os.kill(self.process.pid, signal.SIGCONT)


@pytest.fixture(scope="module")
def rack():
    made = Rack()
    made.start()
    yield made
    made.kill()


@pytest.fixture(scope="module")
def connected(rack):
    made = devices("G:")
    made.faults = {
        name: EpicsSignal(f"G:{name.capitalize()}:Fault", name=name, string=True)
        for name in ("magnet", "rf", "laser", "cryostat", "lockin")
    }
    return made


@pytest.fixture
def lab(rack, connected, tmp_path):
    """Give instruments in good order, and functions to make sessions and to do things in time."""
    if rack.process.poll() is not None:
        rack.start()
    instruments = Instruments(**{name: getattr(connected, name) for name in connected.faults})
    wait_for_all(instruments, timeout=20)
    connected.open = []

    def fault(name: str, what: str) -> None:
        connected.faults[name].wait_for_connection(timeout=10)
        connected.faults[name].put(what, wait=False)

    def session(at: int | None = None, do=None, patience: float = PATIENCE, **more) -> Session:
        made = Session(
            Settings(home=tmp_path, patience=patience), instruments, Meanwhile(at, do), **more
        )
        made.documents = []
        made.RE.subscribe(lambda *pair: made.documents.append(pair))
        connected.open.append(made)
        return made

    connected.fault, connected.session = fault, session
    for name in connected.faults:
        fault(name, "none")
    deadline = time.monotonic() + 60  # on a busy machine
    while connected.magnet.quenched.get() and time.monotonic() < deadline:
        connected.magnet.reset.put(1)
        time.sleep(0.05)
    connected.cryostat.fill.put("Yes", wait=False)  # No again when it is full
    for setting, value in (
        (connected.rf.output, "On"),
        (connected.rf.modulation, "On"),
        (connected.laser.shutter, "Open"),
        (connected.magnet.ramp_rate, 16.7),
        (connected.lockin.time_constant, 0.01),
        (connected.lockin.filter_slope, 24),
        (connected.lockin.integration_time, 25.0),  # 50 ms of the wall
        (connected.lockin.sensitivity, 1e-3),
        (connected.cryostat, 1.6),
        (connected.magnet, FIELDS[0]),
    ):
        setting.set(value).wait(10)
    while not (connected.laser.mode_locked.get() and connected.cryostat.helium_level.get() > 20):
        assert time.monotonic() < deadline, (
            connected.laser.mode_locked.get(),
            connected.cryostat.helium_level.get(),
            connected.cryostat.fill.get(),
        )
        time.sleep(0.02)
    yield connected
    for made in connected.open:
        made.close()


class Meanwhile:
    """A consumer of documents that does something after so many points."""

    def __init__(self, at: int | None, do):
        self._left, self._do = at, do

    def __call__(self, name, doc):
        data = doc["data"] if name == "event" else {}
        if self._left is not None and "lockin_x" in data and "cryostat_stable" not in data:
            self._left -= 1
            if self._left == 0:
                threading.Thread(target=self._do, daemon=True).start()


def scan(lab):
    return odmr(lab.lockin, lab.magnet, FIELDS[0], FIELDS[-1], POINTS)


def events(session, stream: str) -> list[dict]:
    """Give the events of a stream of the scan; the fit of it is a run of its own."""
    run = next((doc["uid"] for name, doc in session.documents if name == "start"), None)
    wanted = {
        doc["uid"]
        for name, doc in session.documents
        if name == "descriptor" and doc["name"] == stream and doc["run_start"] == run
    }
    return [d for n, d in session.documents if n == "event" and d["descriptor"] in wanted]


def rows(session, column: str) -> list:
    return [event["data"][column] for event in events(session, "primary")]


def stop_of(session) -> dict:
    return next(doc for name, doc in session.documents if name == "stop")


@pytest.fixture
def undisturbed(lab):
    session = lab.session()
    session.RE(scan(lab))
    session.close()
    lab.open.clear()
    return rows(session, "lockin_x")


def all_points_are_good(session, undisturbed) -> bool:
    """Whether every point is there once, in order, at its field, with rf and light on."""
    assert rows(session, "magnet_field") == rows(session, "magnet_field_readback") == FIELDS
    assert [event["seq_num"] for event in events(session, "primary")] == list(range(1, POINTS + 1))
    pairs = zip(
        rows(session, "lockin_x"), undisturbed, rows(session, "lockin_x_error"), strict=True
    )
    return all(abs(x - before) < 6 * error for x, before, error in pairs)


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


def test_refused_setting_is_no_outage(lab):
    session = lab.session()
    lab.fault("rf", "refused puts")
    with pytest.raises(Exception, match="a fault refuses every put"):
        session.RE(bp.list_scan([lab.lockin], lab.rf.power, [1.0, 2.0]))
    assert events(session, "outages") == []


def test_no_interlocks_is_a_choice(lab):
    lab.fault("laser", "mode-lock loss")
    session = lab.session(interlocks=())
    assert session.RE(bp.count([lab.lockin])).exit_status == "success"
    session.RE(bps.null())


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
    lab.fault("rf", "dropped circuits")
    deadline = time.monotonic() + 5
    while lab.rf.connected and time.monotonic() < deadline:
        time.sleep(0.001)
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
                lab.fault("magnet", "dropped circuits")
                deadline = time.monotonic() + 5
                while lab.magnet.field.connected and time.monotonic() < deadline:
                    time.sleep(0.001)

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


def test_bundle_that_is_gone_masks_no_reason(lab):
    session, saved = lab.session(), []

    def at(message) -> None:
        saved.extend([message] * (message.command == "save"))
        if message.command == "save" and len(saved) == 4:
            session.RE._exception = FailedStatus("a motion that nobody waits for")  # as of a status
            lab.fault("rf", "dropped circuits")
            deadline = time.monotonic() + 5
            while lab.rf.connected and time.monotonic() < deadline:
                time.sleep(0.001)

    session.RE.msg_hook = at
    assert session.RE(scan(lab)).exit_status == "success"
    assert sorted(set(rows(session, "magnet_field"))) == FIELDS
