"""Faults on the wire: a motion then ends with an error, never with success."""

import time
from threading import Timer
from types import SimpleNamespace

import pytest
from laboratory import SPARE_PORT, devices, ioc
from ophyd import EpicsSignal

from odmrlab.ioc.physics import Sample
from odmrlab.ioc.rack import INSTRUMENTS, rack

FIELD, START, PATIENCE = 442.5, 42.5, 0.6  # mT, mT, s


@pytest.fixture(scope="module")
def faulty():
    """Give devices whose IOCs can be made to fail, and a function that does it."""
    options = ("--prefix", "X:", "--speed", 500, "--seed", 7, "--faults")
    with ioc(*options, port=SPARE_PORT):
        made = devices("X:")
        faults = {name: EpicsSignal(f"X:{name.capitalize()}:Fault", name=name, string=True)
                  for name in INSTRUMENTS}  # fmt: skip
        for signal in faults.values():
            signal.wait_for_connection(timeout=10)
        yield made, faults


def put(signal, value) -> None:
    """Put without waiting for a completion that may never come; wait until it is there."""
    signal.put(value, wait=False)
    deadline = time.monotonic() + 5
    while signal.get(use_monitor=False) != value and time.monotonic() < deadline:
        time.sleep(0.01)


@pytest.fixture
def lab(faulty, monkeypatch):
    """Give them in good order, the field at rest, and impatient positioners."""
    made, faults = faulty
    bench = SimpleNamespace(**vars(made), fault=lambda name, fault: faults[name].put(fault))
    for positioner in (made.magnet.field, made.cryostat.temperature, made.laser.energy):
        monkeypatch.setattr(positioner, "_patience", PATIENCE)
    for device, value in ((made.cryostat, 1.6), (made.laser.energy, 1.824)):
        device.set(value).wait(10)
    made.magnet.ramp_rate.set(16.7).wait(5)
    made.magnet.set(START).wait(10)
    made.magnet.ramp_rate.set(0.5).wait(5)  # the way to FIELD then takes 1.6 s of the wall
    yield bench
    for name in INSTRUMENTS:
        faults[name].wait_for_connection(timeout=5)
        put(faults[name], "none")
    deadline = time.monotonic() + 10  # a quench is cold after 1.8 s of the wall
    while made.magnet.quenched.get() and time.monotonic() < deadline:
        made.magnet.reset.put(1)
        time.sleep(0.05)


@pytest.mark.layer
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("stuck motion", "is stuck at .* came no closer in 0.6 s"),
        (
            "quench",
            "on the way to 442.5 .*; magnet: quenched at .* mT; needs .* s to cool the coil",
        ),
        ("frozen readback", "asked for 442.5, (is stuck|rests) at .* came no closer"),
        ("NaN readback", "magnet_field_readback got an INVALID alarm"),
        ("invalid alarm", "got an INVALID alarm"),
        ("major alarm", "got a MAJOR alarm"),
        ("slow readback", "Failed to read X:Magnet:FieldReadback within 2.50 sec|[Tt]ime"),
    ],
)
def test_fault_on_the_way_fails_the_move(lab, fault, words):
    status = lab.magnet.set(FIELD)
    Timer(0.1, lab.fault, ("magnet", fault)).start()
    began = time.monotonic()
    with pytest.raises(Exception, match=words):  # each client has its own kind of time-out
        status.wait(10)
    assert time.monotonic() - began < 4
    assert status.done and not status.success


@pytest.mark.layer
def test_refused_put_fails_with_the_words_of_the_fault(lab):
    lab.fault("magnet", "refused puts")
    with pytest.raises(Exception, match="field was refused: a fault refuses every put"):
        lab.magnet.set(FIELD).wait(5)
    assert lab.magnet.field.get() == START


@pytest.mark.layer
def test_completion_that_never_comes_fails_the_move(lab, monkeypatch):
    monkeypatch.setattr("odmrlab.devices.signals.PUT_TIME", 0.3)
    lab.fault("magnet", "lost completion")
    with pytest.raises(TimeoutError, match="Field did not complete the put in 0.3 s"):
        lab.magnet.set(START).wait(5)


@pytest.mark.layer
@pytest.mark.parametrize(
    ("instrument", "fault", "words"),
    [
        ("cryostat", "stuck motion", "is stuck at .* came no closer"),
        ("cryostat", "NaN readback", "got an INVALID alarm"),
        ("laser", "stuck motion", "is stuck at .* came no closer"),
        ("laser", "mode-lock loss", "got a MAJOR alarm"),
    ],
)
def test_fault_fails_warming_and_tuning(lab, instrument, fault, words):
    lab.fault(instrument, fault)
    move = lab.cryostat.set(4.0) if instrument == "cryostat" else lab.laser.energy.set(1.75)
    with pytest.raises(Exception, match=words):
        move.wait(10)


@pytest.mark.layer
def test_too_little_helium_refuses_to_warm_until_it_is_filled(lab):
    lab.fault("cryostat", "helium low")
    with pytest.raises(Exception, match=r"helium at 3\.0 %; needs 5 %, so Fill Yes"):
        lab.cryostat.set(4.0).wait(5)
    assert lab.cryostat.helium_level.alarm_severity == 2 or lab.cryostat.helium_level.get() == 3.0
    lab.cryostat.fill.set("Yes").wait(5)
    deadline = time.monotonic() + 5
    while lab.cryostat.helium_level.get() < 20 and time.monotonic() < deadline:
        time.sleep(0.02)
    lab.cryostat.set(1.7).wait(5)


@pytest.mark.layer
def test_stuck_motion_goes_on_when_it_is_free(lab):
    lab.magnet.ramp_rate.set(16.7).wait(5)
    status = lab.magnet.set(FIELD)
    lab.fault("magnet", "stuck motion")
    lab.fault("magnet", "none")
    status.wait(5)
    assert lab.magnet.field_readback.get() == FIELD


@pytest.mark.layer
def test_quench_on_the_way_to_zero_is_no_success_and_refuses_ramps_until_reset(lab):
    status = lab.magnet.set(0.0)
    deadline = time.monotonic() + 5
    while not lab.magnet.ramping.get() and time.monotonic() < deadline:
        time.sleep(0.001)
    lab.fault("magnet", "quench")
    with pytest.raises(Exception, match="got a MAJOR alarm; magnet: quenched"):
        status.wait(10)
    assert lab.magnet.quenched.get() == 1
    with pytest.raises(Exception, match=r"has quenched; needs \d+ s to cool the coil, then Reset"):
        lab.magnet.set(FIELD).wait(5)


def test_wrong_time_and_minor_alarm_are_told_and_leave_the_motion_alone(lab):
    lab.fault("magnet", "wrong time")
    lab.magnet.field_readback.get()
    assert lab.magnet.field_readback.timestamp < time.time() - 3000
    lab.fault("magnet", "minor alarm")
    lab.magnet.field_readback.get()
    assert lab.magnet.field_readback.alarm_severity == 1
    lab.magnet.set(START + 5).wait(5)


def test_mode_lock_and_level_are_told(lab):
    lab.fault("laser", "mode-lock loss")
    lab.fault("rf", "unlevelled")
    assert (lab.laser.mode_locked.get(), lab.rf.levelled.get()) == (0, 0)
    lab.fault("rf", "none")
    assert lab.rf.levelled.get() == 1


def test_no_fault_is_served_unless_asked():
    assert not [name for name in rack("", Sample()) if name.endswith("Fault")]
    served = [name for name in rack("", Sample(), faults=True) if name.endswith("Fault")]
    assert served == [f"{name.capitalize()}:Fault" for name in INSTRUMENTS]


def test_overloaded_and_unlocked_readings_say_so(lab):
    """The sweep of the fault itself is a change, so a reading waits for it to settle."""
    lab.fault("lockin", "overload")
    lab.lockin.trigger().wait(10)
    reading = lab.lockin.read()
    full_scale = 1.09 * lab.lockin.sensitivity.get()
    assert (reading["lockin_overload"]["value"], reading["lockin_unlocked"]["value"]) == (1, 0)
    assert reading["lockin_x"]["value"] == pytest.approx(full_scale)
    lab.fault("lockin", "unlock")
    lab.lockin.trigger().wait(10)
    reading = lab.lockin.read()
    assert (reading["lockin_overload"]["value"], reading["lockin_unlocked"]["value"]) == (0, 1)
    assert lab.lockin.reference_frequency.get() == 0
    lab.fault("lockin", "none")
    lab.lockin.trigger().wait(10)
    reading = lab.lockin.read()
    assert (reading["lockin_overload"]["value"], reading["lockin_unlocked"]["value"]) == (0, 0)
