"""Devices, IOCs, bench and documents agree on every name and unit."""

import re
from dataclasses import fields

import pytest
from ophyd import Signal

from odmrlab.devices import Cryostat, Laser, Lockin, Magnet, Rf
from odmrlab.ioc.physics import Bench, Sample
from odmrlab.ioc.rack import rack
from odmrlab.ioc.upstream import pv_name

DEVICES = (Magnet, Rf, Laser, Cryostat, Lockin)
SERVED = rack("", Sample())
CONTRACT = {
    "Magnet": "Field FieldReadback RampRate Ramping Stop Quenched",
    "Rf": "Frequency Power Output ModulationFrequency Modulation",
    "Laser": "Energy Power Shutter EnergyReadback PowerReadback Tuning ModeLocked",
    "Cryostat": "Temperature TemperatureReadback Stable HeliumLevel",
    "Lockin": "TimeConstant FilterSlope Sensitivity Phase Harmonic IntegrationTime Settling Shot "
    "X Y XError YError Overload Unlocked Unsettled ReferenceFrequency",
}
UNITS = {
    "Magnet:Field": "mT",
    "Magnet:RampRate": "mT/s",
    "Rf:Frequency": "GHz",
    "Rf:Power": "dBm",
    "Rf:ModulationFrequency": "Hz",
    "Laser:Energy": "eV",
    "Laser:Power": "mW",
    "Cryostat:Temperature": "K",
    "Cryostat:HeliumLevel": "%",
    "Lockin:TimeConstant": "s",
    "Lockin:Sensitivity": "V",
    "Lockin:Phase": "deg",
    "Lockin:X": "V",
    "Lockin:XError": "V",
    "Lockin:ReferenceFrequency": "Hz",
}
LIMITS = {
    "Magnet:Field": (-500, 500),
    "Rf:Frequency": (0.05, 4),
    "Rf:Power": (-30, 20),
    "Rf:ModulationFrequency": (10, 100000),
    "Laser:Energy": (1.70, 1.879),
    "Laser:Power": (0, 5),
    "Cryostat:Temperature": (1.5, 300),
}


def signals(device) -> list[tuple[str, str]]:
    """List attribute and PV suffix of every signal, those of its parts included."""
    walks = list(device.walk_components())
    return [
        (walk.dotted_name, walk.item.suffix) for walk in walks if issubclass(walk.item.cls, Signal)
    ]


@pytest.mark.parametrize("instrument", CONTRACT)
def test_every_pv_of_the_contract_is_served(instrument):
    wanted = {f"{instrument}:{suffix}" for suffix in CONTRACT[instrument].split()}
    assert wanted <= SERVED.keys()


@pytest.mark.parametrize("device", DEVICES)
def test_every_signal_of_a_device_is_served(device):
    asked = {f"{device.__name__}:{suffix}" for _, suffix in signals(device)}
    assert asked <= SERVED.keys()


@pytest.mark.parametrize("device", DEVICES)
def test_suffix_is_the_attribute_in_camel_case(device):
    for name, suffix in signals(device):
        camel = "".join(word.capitalize() for word in re.split("[_.]", name))
        assert suffix == camel or name.endswith("halt")


@pytest.mark.parametrize(("pv", "unit"), UNITS.items())
def test_unit(pv, unit):
    assert SERVED[pv].units == unit


@pytest.mark.parametrize(("pv", "limits"), LIMITS.items())
def test_limits(pv, limits):
    assert (SERVED[pv].lower_ctrl_limit, SERVED[pv].upper_ctrl_limit) == limits


def test_every_bench_line_is_a_pv():
    assert {pv_name("", line.name) for line in fields(Bench)} <= SERVED.keys()


def test_no_two_pvs_share_an_alarm():
    alarms = [id(pv.alarm) for name, pv in SERVED.items() if not name.startswith("Sample:")]
    assert len(alarms) == len(set(alarms))


def test_every_instrument_has_a_boot_id_and_a_heartbeat():
    for instrument in CONTRACT:
        assert {f"{instrument}:BootId", f"{instrument}:Heartbeat"} <= SERVED.keys()


def test_every_pv_says_what_it_is():
    assert all(pv.__doc__ for name, pv in SERVED.items() if not name.startswith("Sample:"))


def test_truth_is_served_only_unsealed():
    sealed = rack("", Sample(), sealed=True)
    assert SERVED["Sample:Electron:G"].value == 1.68
    assert [name for name in sealed if name.startswith("Sample:")] == ["Sample:Name"]
