"""The lock-in as a server: it waits for all upstream, and its readings scatter as they say."""

import asyncio

import numpy as np
import pytest
from scipy.stats import chi2

from odmrlab.ioc.physics import Bench, Sample
from odmrlab.ioc.rack import rack

SHOTS = 2000


def shots(pvs, count: int, settings: dict) -> np.ndarray:
    """Take readings in this process; rows of shot, x, y, errors, overload, unlocked, time."""

    async def take():
        for name, value in settings.items():
            await pvs[name].write(value)
        rows = []
        for number in range(1, count + 1):
            await pvs["Lockin:Shot"].write(number)
            rows.append(list(pvs["Lockin:Reading"].value))
        return np.array(rows)

    return asyncio.run(take())


ON = {
    "Rf:Output": "On",
    "Laser:Shutter": "Open",
    "Laser:Power": 2.0,
    "Rf:ModulationFrequency": 1000.0,
}


@pytest.mark.parametrize("slope", [6, 12, 18, 24])
def test_scatter_of_many_shots_is_their_published_error(slope):
    pvs = rack("", Sample(), speed=1e7, seed=slope)
    rows = shots(pvs, SHOTS, ON | {"Lockin:FilterSlope": slope})
    for value, error in ((1, 3), (2, 4)):
        pulls = (rows[:, value] - rows[:, value].mean()) / rows[:, error]
        reduced = (pulls**2).sum() / (SHOTS - 1)
        # +-3.3 standard deviations of a true chi-square
        low, high = chi2.ppf([5e-4, 1 - 5e-4], SHOTS - 1) / (SHOTS - 1)
        assert low < reduced < high
        assert abs(np.corrcoef(pulls[1:], pulls[:-1])[0, 1]) < 4 / np.sqrt(SHOTS)


def test_mean_of_many_shots_is_the_signal_of_the_sample():
    sample = Sample()
    pvs = rack("", sample, speed=1e7, seed=3)
    rows = shots(pvs, 500, ON)
    bench = Bench(
        rf_output=1, laser_shutter=1, laser_power_readback=2.0, rf_modulation_frequency=1000.0
    )
    error = rows[0, 3] / np.sqrt(500)
    assert rows[:, 1].mean() == pytest.approx(sample.signal(bench).real, abs=4 * error)
    assert rows[:, 2].mean() == pytest.approx(sample.signal(bench).imag, abs=4 * error)


def test_same_seed_gives_identical_readings():
    first, again = (shots(rack("", Sample(), speed=1e7, seed=5), 50, ON) for _ in range(2))
    other = shots(rack("", Sample(), speed=1e7, seed=6), 50, ON)
    np.testing.assert_array_equal(first[:, :7], again[:, :7])
    assert not np.any(first[:, 1] == other[:, 1])


def test_reading_after_a_change_waits_for_the_filter():
    """The laboratory time from the change to the reading is settling plus integration."""
    pvs = rack("", Sample(), speed=100, seed=1)

    async def change_and_read():
        await pvs["Lockin:TimeConstant"].write(0.3)
        await pvs["Lockin:IntegrationTime"].write(1.0)
        began = pvs["Rf:Frequency"].group.clock.now()
        await pvs["Rf:Frequency"].write(1.1)
        await pvs["Lockin:Shot"].write(1)
        return pvs["Lockin:Reading"].value[7] - began

    took = asyncio.run(change_and_read())
    assert took >= 13.06 * 0.3 + 1.0
    assert took < 1.5 * (13.06 * 0.3 + 1.0)


def test_change_while_averaging_starts_the_reading_anew():
    pvs = rack("", Sample(), speed=100, seed=1)

    async def disturb():
        await pvs["Lockin:IntegrationTime"].write(10.0)
        clock = pvs["Rf:Frequency"].group.clock
        reading = asyncio.create_task(pvs["Lockin:Shot"].write(1))
        await clock.sleep(5.0)
        changed = clock.now()
        await pvs["Rf:Frequency"].write(1.1)
        await reading
        return pvs["Lockin:Reading"].value[7] - changed

    assert asyncio.run(disturb()) >= 10.0 + 13.06 * 0.01


def test_overload_and_lost_reference_are_said():
    pvs = rack("", Sample(), speed=1e6, seed=1)
    small = {"Magnet:FieldReadback": 42.5, "Lockin:Sensitivity": 1e-6}
    row = shots(pvs, 1, ON | small)[0]
    assert row[5] == 1 and max(abs(row[1]), abs(row[2])) <= 1.09e-6
    pvs = rack("", Sample(), speed=1e6, seed=1)
    row = shots(pvs, 1, ON | {"Rf:Modulation": "Off"})[0]
    assert row[6] == 1 and pvs["Lockin:Unlocked"].value == "Yes"


def test_phase_turns_the_signal():
    quiet = {"Magnet:FieldReadback": 42.5, "Lockin:IntegrationTime": 1e4}
    pvs = rack("", Sample(), speed=1e9, seed=1)
    straight = shots(pvs, 1, ON | quiet)[0]
    pvs = rack("", Sample(), speed=1e9, seed=1)
    turned = shots(pvs, 1, ON | quiet | {"Lockin:Phase": 90.0})[0]
    signal, rotated = complex(*straight[1:3]), complex(*turned[1:3])
    assert rotated == pytest.approx(-1j * signal, abs=10 * straight[3])


def test_second_harmonic_of_weak_rf_is_noise():
    pvs = rack("", Sample(), speed=1e6, seed=1)
    row = shots(pvs, 1, ON | {"Magnet:FieldReadback": 42.5, "Lockin:Harmonic": 2})[0]
    assert abs(complex(row[1], row[2])) < 6 * row[3]


def test_old_shot_number_is_refused():
    pvs = rack("", Sample(), speed=1e6, seed=1)
    shots(pvs, 2, {})
    with pytest.raises(ValueError, match="1 is not new; needs more than 2"):
        asyncio.run(pvs["Lockin:Shot"].write(1))
