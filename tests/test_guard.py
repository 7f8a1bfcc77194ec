"""Killed, hung and restarted IOCs, and tripped interlocks: no point is lost, wrong or stale."""

import os
import re
import signal
import subprocess
import sys
import threading
import time

import bluesky.plan_stubs as bps
import bluesky.plans as bp
import pytest
from laboratory import SPARE_PORT, devices
from ophyd import EpicsSignal

from odmrlab.devices import wait_for_all
from odmrlab.lab.session import Instruments, Session
from odmrlab.lab.settings import Settings
from odmrlab.plans import InterlockError, RepeatPointError, find_resonance, odmr
from odmrlab.plans.points import one_step

pytestmark = [pytest.mark.layer, pytest.mark.timeout(120)]
PATIENCE = 20.0  # s; libca searches ever more rarely
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
    connected.cryostat.fill.set("Yes").wait(5)
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
    wanted = {d["uid"] for n, d in session.documents if n == "descriptor" and d["name"] == stream}
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


def test_run_does_not_start_on_a_tripped_interlock(lab):
    lab.fault("laser", "mode-lock loss")
    session = lab.session()
    with pytest.raises(InterlockError, match="mode_locked is 0; needs 1: the run does not start"):
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
