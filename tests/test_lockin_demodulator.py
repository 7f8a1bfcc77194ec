"""Ranges, automatic range and phase, the mains."""

import asyncio

import numpy as np
import pytest
from lockin_shots import ON, shots

from odmrlab.ioc.lockin_demodulator import RANGES
from odmrlab.ioc.physics import Sample
from odmrlab.ioc.physics.sample import Detector
from odmrlab.ioc.rack import rack

pytestmark = pytest.mark.usefixtures("virtual_time")


@pytest.mark.parametrize("wanted", [3e-3, 1.5e-6])
def test_sensitivity_beside_the_switch_is_refused(wanted):
    pvs = rack("", Sample(), speed=1e6, seed=1)
    with pytest.raises(ValueError, match="needs 1, 2 or 5 times a power of ten"):
        asyncio.run(pvs["Lockin:Sensitivity"].write(wanted))
    assert pvs["Lockin:Sensitivity"].value == 1e-3


def test_every_range_from_2_nv_to_1_v_is_taken():
    assert (RANGES[0], RANGES[-1], len(RANGES)) == (2e-9, 1.0, 27)
    pvs = rack("", Sample(), speed=1e6, seed=1)
    for full_scale in RANGES:
        asyncio.run(pvs["Lockin:Sensitivity"].write(full_scale))
        assert pvs["Lockin:Sensitivity"].value == full_scale


@pytest.mark.parametrize("start", [2e-9, 1.0])
def test_automatic_range_is_the_smallest_that_holds_the_signal(start):
    pvs = rack("", Sample(), speed=1e6, seed=1)
    on = ON | {"Magnet:FieldReadback": 42.5, "Lockin:Sensitivity": start}
    shots(pvs, 1, on | {"Lockin:AutoRange": 1})
    row, full_scale = pvs["Lockin:Reading"].value, pvs["Lockin:Sensitivity"].value
    largest = max(abs(row[1]), abs(row[2]))
    assert row[5] == 0 and pvs["Lockin:AutoRange"].value == 1
    assert full_scale == min(item for item in RANGES if item >= largest)


def test_overload_begins_at_109_percent_of_full_scale():
    silent = Sample(detector=Detector(dark_noise=0.0, shot_noise=0.0))
    on = ON | {"Magnet:FieldReadback": 42.5}
    x = shots(rack("", silent, speed=1e6, seed=1), 1, on)[0][1]
    for share, overload in ((1.08, 0), (1.10, 1)):
        gain = silent.detector.responsivity * share * 5e-5 / x
        loud = Sample(detector=Detector(dark_noise=0.0, shot_noise=0.0, responsivity=gain))
        pvs = rack("", loud, speed=1e6, seed=1)
        row = shots(pvs, 1, on | {"Lockin:Sensitivity": 5e-5})[0]
        assert row[5] == overload and row[1] == pytest.approx(min(share, 1.09) * 5e-5)


def test_automatic_phase_turns_the_signal_into_x():
    pvs = rack("", Sample(), speed=1e6, seed=1)
    on = ON | {"Magnet:FieldReadback": 42.5, "Lockin:Phase": 170.0, "Lockin:IntegrationTime": 100.0}
    row = shots(pvs, 1, on | {"Lockin:AutoPhase": 1})[0]
    assert row[1] > 100 * row[3] and abs(row[2]) < 5 * row[4]
    assert -180 <= pvs["Lockin:Phase"].value <= 180


def test_automatic_phase_of_noise_is_refused():
    pvs = rack("", Sample(), speed=1e6, seed=1)
    with pytest.raises(ValueError, match="the signal is .* V, its error .* V; needs 4 errors"):
        asyncio.run(pvs["Lockin:AutoPhase"].write(1))
    assert pvs["Lockin:Phase"].value == 0 and pvs["Lockin:AutoPhase"].value == 0


@pytest.mark.parametrize(("reference", "seen"), [(1000.0, True), (1025.0, False)])
def test_mains_come_through_when_the_reference_is_near(reference, seen):
    silent = Sample(detector=Detector(dark_noise=0.0, shot_noise=0.0))
    pvs = rack("", silent, speed=1e7, seed=1)
    pickup = {"Lockin:MainsPickup": 1e-6, "Rf:ModulationFrequency": reference, "Rf:Output": "Off"}
    rows = shots(pvs, 20, ON | pickup)
    size = np.hypot(rows[:, 1], rows[:, 2])
    assert size == pytest.approx(1e-6, rel=1e-3) if seen else size.max() < 1e-8
