"""One session owns the bench; when it dies, the IOCs go safe by themselves."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import pytest
from laboratory import SPARE_PORT, devices, drop_circuits, ioc
from ophyd import EpicsSignal
from ophyd.utils import DisconnectedError

from odmrlab.devices import Lease, NotConnectedError, OwnedError, wait_for_all
from odmrlab.ioc.rack import KINDS

pytestmark = pytest.mark.layer
LEASE_TIME = 1.0  # s, here

OWNER = """\
import os, sys, time
sys.path.insert(0, {tests!r})
import laboratory
os.environ["EPICS_CA_ADDR_LIST"] = "127.0.0.1:{port}"  # laboratory has chosen ports of its own
from odmrlab.devices import Lease
bench = laboratory.devices("L:")
try:
    lease = Lease(vars(bench).values())
except Exception as error:
    print(f"{{type(error).__name__}}: {{error}}", flush=True)
    sys.exit(3)
bench.magnet.ramp_rate.set(0.5).wait(5)
bench.magnet.set(400.0)
bench.rf.output.set("On").wait(5)
bench.laser.shutter.set("Open").wait(5)
print("owns", flush=True)
time.sleep(60)
"""


@pytest.fixture(scope="module")
def rack():
    with ioc("--prefix", "L:", "--speed", 50, "--seed", 7, "--faults", port=SPARE_PORT):
        yield


@pytest.fixture(scope="module")
def connected(rack):
    return devices("L:")


@pytest.fixture
def bench(connected) -> SimpleNamespace:
    """Give instruments that nobody owns, with a short lease."""
    deadline = time.monotonic() + 10
    for device in vars(connected).values():
        while device.lease_owner.get() and time.monotonic() < deadline:
            time.sleep(0.02)
        device.lease_time.set(LEASE_TIME).wait(5)
    connected.magnet.ramp_rate.set(16.7).wait(5)
    connected.magnet.set(0.0).wait(10)
    return connected


@pytest.fixture
def owner():
    """Start sessions of other processes; give the process and its first line."""
    started = []

    def start():
        script = OWNER.format(tests=os.path.dirname(__file__), port=SPARE_PORT)
        process = subprocess.Popen(
            [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        return process, process.stdout.readline().strip()

    yield start
    for process in started:
        process.kill()
        process.wait(10)
        process.stdout.close()


def wait_until(true, seconds: float = 5.0) -> float:
    """Return the seconds until something is true."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds, "never came true"
        time.sleep(0.01)
    return time.monotonic() - began


def test_killed_owner_leaves_a_safe_bench_within_the_lease_time(bench, owner):
    process, said = owner()
    assert said == "owns"
    assert bench.magnet.ramping.get() == 1
    process.send_signal(signal.SIGKILL)
    took = wait_until(lambda: bench.rf.output.get() == "Off" and bench.magnet.ramping.get() == 0)
    assert took < LEASE_TIME + 0.3
    wait_until(lambda: not any(device.lease_owner.get() for device in vars(bench).values()))
    assert (bench.laser.shutter.get(), bench.rf.output.get()) == ("Closed", "Off")
    assert 0 < bench.magnet.field.get() == bench.magnet.field_readback.get() < 400
    words = rf"rf: \S+@\S+ {process.pid} since \S+ has not renewed its lease; so output Off was put"
    assert re.fullmatch(words, bench.rf.message.get())
    bench.rf.power.set(1.0).wait(5)


def test_stopped_owner_is_a_dead_one(bench, owner):
    process, said = owner()
    assert said == "owns"
    process.send_signal(signal.SIGSTOP)
    wait_until(lambda: bench.laser.shutter.get() == "Closed" and bench.rf.output.get() == "Off")


def test_living_owner_keeps_the_bench_and_others_are_told(bench, owner):
    process, said = owner()
    assert said == "owns"
    time.sleep(2 * LEASE_TIME)  # two leases long
    assert (bench.rf.output.get(), bench.laser.shutter.get()) == ("On", "Open")
    owned = rf"power was refused: owned by \S+@\S+ {process.pid} since \d\d:\d\d:\d\d; needs its"
    with pytest.raises(Exception, match=owned):
        bench.rf.power.set(3.0).wait(5)
    with pytest.raises(
        OwnedError, match=rf"magnet: owned by .* {process.pid} since .* or 1 s when"
    ):
        Lease(vars(bench).values())


def test_stopping_is_never_refused(bench, owner):
    _, said = owner()
    assert said == "owns"
    bench.rf.output.set("Off").wait(5)
    bench.laser.shutter.set("Closed").wait(5)
    bench.magnet.stop()
    wait_until(lambda: bench.magnet.ramping.get() == 0)
    for setting, value in ((bench.rf.output, "On"), (bench.laser.shutter, "Open")):
        with pytest.raises(Exception, match="owned by"):
            setting.set(value).wait(5)


def test_second_session_is_refused_and_takes_nothing(bench, owner):
    lease = Lease(vars(bench).values())
    _, said = owner()
    assert said.startswith("OwnedError: magnet: owned by ") and f" {os.getpid()} since" in said
    bench.rf.power.set(2.0).wait(5)
    lease.close()
    assert not any(device.lease_owner.get() for device in vars(bench).values())
    assert owner()[1] == "owns"


def test_second_session_of_the_same_process_is_refused_too(bench):
    lease = Lease(vars(bench).values())
    with pytest.raises(OwnedError, match="magnet: owned by"):
        Lease(vars(bench).values())
    lease.close()


def test_what_is_given_back_stays_as_it_is(bench):
    lease = Lease(vars(bench).values())
    bench.rf.output.set("On").wait(5)
    lease.close()
    time.sleep(1.5 * LEASE_TIME)
    assert bench.rf.output.get() == "On"


@pytest.fixture
def dropped(bench) -> Lease:
    """Give a long lease, whose circuits are new ones."""
    for device in vars(bench).values():
        device.lease_time.set(30).wait(5)
    lease = Lease(vars(bench).values())
    fault = EpicsSignal("L:Rf:Fault", name="fault", string=True)
    fault.wait_for_connection(timeout=5)
    drop_circuits(fault, bench.rf.output)
    wait_for_all(vars(bench).values(), timeout=20)
    return lease


def test_lease_outlives_its_circuits(bench, dropped):
    def takes_puts() -> bool:
        return bench.rf.power.set(1.0).exception(5) is None

    assert str(os.getpid()) in bench.rf.lease_owner.get()
    wait_until(takes_puts, 2)  # the next renewal is 10 s away
    dropped.close()


def test_lease_is_given_back_on_a_new_circuit(bench, dropped):
    dropped.close()
    assert not any(device.lease_owner.get() for device in vars(bench).values())


def test_every_safe_state_is_one_that_the_instrument_has():
    safe = {name: kind.safe for name, kind in KINDS.items() if kind.safe}
    assert safe == {"magnet": {"stop": 1}, "rf": {"output": "Off"}, "laser": {"shutter": "Closed"}}


def test_lost_instrument_keeps_no_lease_of_the_others(bench, monkeypatch):
    def lost(token):
        raise DisconnectedError("not there")

    monkeypatch.setattr(bench.lockin.lease, "put_and_check", lost)
    with pytest.raises(NotConnectedError, match="lockin: L:Lockin:Lease is lost; needs its IOC"):
        Lease(vars(bench).values())
    assert not any(device.lease_owner.get() for device in vars(bench).values())


def test_instrument_that_does_not_answer_costs_the_others_nothing(bench, monkeypatch):
    lease, answers = Lease(vars(bench).values()), threading.Event()
    monkeypatch.setattr(bench.magnet.lease, "put", lambda *_, **__: answers.wait(10))
    time.sleep(2 * LEASE_TIME)
    owners = [device.lease_owner.get() for device in vars(bench).values()]
    answers.set()
    lease.close()
    assert owners[0] == "" and all(owners[1:])
