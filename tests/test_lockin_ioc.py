"""The lock-in as a server: it waits for all upstream, and its readings scatter as they say."""

import asyncio

import numpy as np
import pytest
from lockin_shots import ON, shots

from odmrlab.ioc.physics import Bench, Sample
from odmrlab.ioc.physics.noise import POLES, averaging_factor
from odmrlab.ioc.physics.sample import Detector
from odmrlab.ioc.rack import rack

pytestmark = pytest.mark.usefixtures("virtual_time")

SHOTS = 2000


@pytest.mark.parametrize("corner", [0.0, 300.0], ids=["white", "with 1/f"])
@pytest.mark.parametrize("slope", [6, 12, 18, 24])
def test_scatter_of_many_shots_is_their_published_error(slope, corner):
    """Nothing changes between the shots, so each remembers the one before as the filter does."""
    sample = Sample(detector=Detector(noise_corner=corner))
    pvs = rack("", sample, speed=1e7, seed=slope + int(corner))
    rows = shots(pvs, SHOTS, ON | {"Lockin:FilterSlope": slope})
    values, errors = rows[:, 1] + 1j * rows[:, 2], rows[:, 3]
    pulls = (values - values.mean()) / errors
    assert (abs(pulls) ** 2).sum() / 2 / (SHOTS - 1) == pytest.approx(1, abs=0.05)
    remembered = (pulls[1:] * pulls[:-1].conj()).real.mean() / 2
    assert remembered == pytest.approx(correlation(slope, 30.0), abs=4 / np.sqrt(2 * SHOTS))


def correlation(slope: int, window: float) -> float:
    """Return that of two means of the filter's output, one window [tau] after the other."""
    poles = POLES[slope]
    # mean of both windows together against that of one
    one, both = (averaging_factor(poles, 1.0, length) for length in (window, 2 * window))
    return 2 * both / one - 1


@pytest.mark.parametrize("slope", [6, 24])
def test_readings_shorter_than_the_filter_repeat_each_other(slope):
    """Their scatter is still their error, and they are correlated by more than half."""
    pvs = rack("", Sample(), speed=1e7, seed=slope)
    short = {"Lockin:FilterSlope": slope, "Lockin:IntegrationTime": 0.01}
    rows = shots(pvs, SHOTS, ON | short)
    pulls = (rows[:, 1:3] - rows[:, 1:3].mean(axis=0)) / rows[:, 3:5]
    expected = correlation(slope, 1.0)
    assert expected > 0.5
    remembered = (pulls[1:] * pulls[:-1]).mean()
    counted = SHOTS * (1 - expected) / (1 + expected)  # independent ones among them, about
    assert remembered / (pulls**2).mean() == pytest.approx(expected, abs=4 / np.sqrt(counted))
    assert (pulls**2).mean() == pytest.approx(1, abs=4 / np.sqrt(counted))


def test_reading_after_a_change_remembers_nothing():
    """The wait for the filter is also long enough for its noise."""
    pvs = rack("", Sample(), speed=1e7, seed=1)

    async def take():
        rows = []
        for number in range(1, 1001):
            await pvs["Rf:Frequency"].write(1 + 0.01 * (number % 2))
            await pvs["Lockin:Shot"].write(number)
            rows.append(pvs["Lockin:Reading"].value[1] / pvs["Lockin:Reading"].value[3])
        return np.array(rows)

    pulls = asyncio.run(take())
    assert abs(np.corrcoef(pulls[1:], pulls[:-1])[0, 1]) < 4 / np.sqrt(1000)


def test_first_reading_is_signal_and_error_times_the_draw_of_its_seed():
    row = shots(rack("", Sample(), speed=1e7, seed=5), 1, ON)[0]
    bench = Bench(
        rf_output=1, laser_shutter=1, laser_power_readback=2.0, rf_modulation_frequency=1000.0
    )
    x, y = np.random.default_rng([5, 1]).normal(0, row[3], 2)
    assert complex(row[1], row[2]) == pytest.approx(Sample().signal(bench) + complex(x, y))


def test_readings_do_not_depend_on_the_clock():
    """Twice the same plan, at other speeds and with a pause in the middle."""

    async def plan(speed: float, pause: float) -> list:
        pvs, rows = rack("", Sample(), speed=speed, seed=9), []
        for name, value in ON.items():
            await pvs[name].write(value)
        for number in range(1, 9):
            if number == 4:
                await pvs["Rf:Frequency"].write(1.2)
            await asyncio.sleep(pause * (number in {3, 4, 5}))
            await pvs["Lockin:Shot"].write(number)
            rows.append(pvs["Lockin:Reading"].value[:7])
        return rows

    assert asyncio.run(plan(1e7, 0)) == asyncio.run(plan(200, 0.02)) == asyncio.run(plan(1e3, 0.1))


@pytest.mark.parametrize("settling", [1e-3, 0.3])
def test_reading_after_a_step_is_as_inaccurate_as_was_wanted(settling):
    """Signal far above its noise appears; the filter has not forgotten all of the dark before."""
    silent = Sample(detector=Detector(dark_noise=0.0, shot_noise=0.0))
    pvs = rack("", silent, speed=1e7, seed=1)
    window = {"Lockin:IntegrationTime": 1e-3, "Lockin:Settling": settling}

    async def switch_on():
        for name, value in (ON | window | {"Rf:Output": "Off", "Rf:Frequency": 2.0}).items():
            await pvs[name].write(value)
        values = []
        for number, output in ((1, "Off"), (2, "On"), (3, "On")):
            await pvs["Rf:Output"].write(output)
            await pvs["Lockin:Shot"].write(number)
            values.append(complex(*pvs["Lockin:Reading"].value[1:3]))
            await pvs["Magnet:FieldReadback"].write(50.0)
        return values

    dark, first, _ = asyncio.run(switch_on())
    truth = silent.signal(bench := pvs["Rf:Output"].group.bench)
    assert dark == 0 and bench.rf_output == 1
    assert 0.8 * settling < 1 - abs(first / truth) < settling


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
    assert took == pytest.approx(0.05 + 13.06 * 0.3 + 1.0, rel=1e-3)  # the source settles first


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

    # the rest of the disturbed average, then a whole one
    assert asyncio.run(disturb()) == pytest.approx(13.06 * 0.01 + 5.0 + 10.0, rel=1e-4)


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


def test_reading_while_upstream_never_rests_says_so():
    """A slow ramp lasts longer than the limit; the next reading is good again."""
    pvs = rack("", Sample(), speed=1000, seed=1)

    async def read_on_the_ramp():
        await pvs["Lockin:SettlingLimit"].write(5.0)
        await pvs["Magnet:RampRate"].write(0.5)
        await pvs["Magnet:Field"].write(100.0)
        clock = pvs["Lockin:Shot"].group.clock
        began = clock.now()
        await pvs["Lockin:Shot"].write(1)
        moving = list(pvs["Lockin:Reading"].value)
        flag = pvs["Lockin:Unsettled"].value
        await pvs["Magnet:Stop"].write(1)
        await pvs["Lockin:Shot"].write(2)
        return moving[7] - began, moving[8], flag, pvs["Lockin:Reading"].value[8]

    took, moving, flag, still = asyncio.run(read_on_the_ramp())
    # filter, limit, and the average all the same
    assert took == pytest.approx(13.06 * 0.01 + 5.0 + 0.3, rel=1e-3)
    assert (moving, flag, still) == (1.0, "Yes", 0.0)
