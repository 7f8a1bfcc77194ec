"""The sweep buffer: what it records came through the filter, with its lag."""

import asyncio

import numpy as np
import pytest

from odmrlab.ioc.physics import Sample
from odmrlab.ioc.physics.filter import average, step
from odmrlab.ioc.physics.noise import noise_bandwidth
from odmrlab.ioc.physics.sample import Detector, Hole
from odmrlab.ioc.rack import rack

pytestmark = pytest.mark.usefixtures("virtual_time")

SILENT = Detector(dark_noise=0.0, shot_noise=0.0)
COLUMNS = ("X", "Y", "Field", "Time")
ON = {"Rf:Output": "On", "Laser:Shutter": "Open", "Laser:Power": 2.0}

SPEED = 50  # laboratory seconds per second: a look upstream every 0.5 s


async def fill(pvs, number: int = 1) -> dict[str, np.ndarray]:
    await pvs["Lockin:BufferRun"].write(number)
    return {name: np.array(pvs[f"Lockin:Buffer{name}"].value) for name in COLUMNS}


async def put(pvs, settings: dict) -> None:
    for name, value in settings.items():
        await pvs[name].write(value)


def sweep(slope: int, start: float, stop: float, tau: float, rate: float = 5.0) -> dict:
    """Sweep the field over the line of the electron alone while the buffer fills."""
    pvs = rack("", Sample(detector=SILENT, hole=Hole(amplitude=0.0)), speed=SPEED, seed=1)

    async def run():
        await put(pvs, ON | {"Lockin:TimeConstant": tau, "Lockin:FilterSlope": slope})
        await put(pvs, {"Lockin:BufferSize": 2600, "Lockin:BufferRate": 100.0})
        await put(pvs, {"Magnet:RampRate": 16.7, "Magnet:Field": start})
        while pvs["Magnet:Ramping"].value == "Yes":
            await asyncio.sleep(0.01)
        await put(pvs, {"Magnet:RampRate": rate, "Magnet:Field": stop})
        return await fill(pvs)

    return asyncio.run(run())


def moments(field: np.ndarray, size: np.ndarray) -> tuple[float, float]:
    mean = np.average(field, weights=size)
    return mean, np.sqrt(np.average((field - mean) ** 2, weights=size))


@pytest.mark.parametrize("slope", [6, 12, 18, 24])
def test_swept_line_lags_and_widens(slope):
    """Shift n v and width sqrt(1 + n v^2) in line widths, v line widths per time constant."""
    tau, rate, poles = 0.3, 5.0, slope // 6
    sample = Sample()
    centre = sample.electron.resonance(1.0)
    width = sample.electron.width(centre)
    up = sweep(slope, 0.0, 120.0, tau, rate)
    assert np.diff(up["Time"]) == pytest.approx(0.01)
    even = (up["Field"] > 5) & (up["Field"] < 110)  # away from where the ramp begins and ends
    fitted = np.polyfit(up["Time"][even], up["Field"][even], 1)
    assert fitted[0] == pytest.approx(rate, rel=1e-3)
    assert np.polyval(fitted, up["Time"])[even] == pytest.approx(up["Field"][even], abs=1e-3)
    mean, spread = moments(up["Field"], abs(up["X"] + 1j * up["Y"]))
    v = rate * tau / width
    assert mean - centre == pytest.approx(poles * v * width, rel=0.01)
    assert spread / width == pytest.approx(np.sqrt(1 + poles * v**2), rel=2e-3)


def test_up_and_down_lag_to_opposite_sides():
    centre = Sample().electron.resonance(1.0)
    up, down = (sweep(24, *ends, 0.2) for ends in ((0.0, 110.0), (110.0, 0.0)))
    means = [moments(run["Field"], abs(run["X"] + 1j * run["Y"]))[0] for run in (up, down)]
    assert means[0] - centre == pytest.approx(4 * 0.2 * 5, rel=0.02)
    assert np.mean(means) == pytest.approx(centre, abs=0.05)


@pytest.mark.parametrize("slope", [6, 24])
def test_noise_in_the_buffer_is_that_of_the_filter(slope):
    """Its size is that of the noise bandwidth, its memory that of the stages."""
    sample, poles = Sample(), slope // 6
    pvs = rack("", sample, speed=1e4, seed=3)

    async def run():
        await put(pvs, {"Lockin:FilterSlope": slope, "Lockin:BufferSize": 8192})
        await put(pvs, {"Lockin:BufferRate": 50.0})  # every 2 time constants
        return await fill(pvs)

    noise = (record := asyncio.run(run()))["X"] + 1j * record["Y"]
    density = sample.noise_density(pvs["Rf:Output"].group.bench, 600.0)
    variance = density**2 * noise_bandwidth(poles, 0.01)
    assert np.mean(abs(noise) ** 2) / 2 == pytest.approx(variance, rel=0.08)
    remembered = np.mean(noise[1:] * noise[:-1].conj()).real / np.mean(abs(noise) ** 2)
    assert remembered == pytest.approx(memory(poles, 2.0), abs=0.05)


def memory(poles: int, lag: float) -> float:
    """Return the correlation of two samples of filtered white noise that far apart [tau]."""
    polynomial = {1: (1,), 4: (1, 1, 2 / 5, 1 / 15)}[poles]
    return np.exp(-lag) * sum(c * lag**k for k, c in enumerate(polynomial))


def test_same_seed_and_run_give_the_same_noise():
    async def run(speed):
        pvs = rack("", Sample(), speed=speed, seed=4)
        first, second = await fill(pvs, 1), await fill(pvs, 2)
        return first["X"], second["X"]

    one, again = (asyncio.run(run(speed)) for speed in (1e3, 1e5))
    np.testing.assert_array_equal(one, again)
    assert abs(np.corrcoef(*one)[0, 1]) < 0.5


def test_stopped_buffer_keeps_what_it_has():
    pvs = rack("", Sample(), speed=100, seed=1)

    async def run():
        task = asyncio.create_task(fill(pvs))
        while pvs["Lockin:BufferFilled"].value < 100:
            await asyncio.sleep(0.005)
        with pytest.raises(ValueError, match="the buffer is filling"):
            await pvs["Lockin:BufferRun"].write(2)
        await pvs["Lockin:BufferStop"].write(1)
        return await task

    record = asyncio.run(run())
    assert 100 <= len(record["X"]) == len(record["Time"]) == pvs["Lockin:BufferFilled"].value < 1000
    with pytest.raises(ValueError, match="1 is not new; needs more than 1"):
        asyncio.run(pvs["Lockin:BufferRun"].write(1))


def test_beat_with_the_mains_turns_in_the_buffer():
    """A line 5 Hz from the reference: five turns a second, through the filter."""
    pvs = rack("", Sample(detector=SILENT), speed=1e4, seed=1)

    async def run():
        await put(pvs, {"Rf:ModulationFrequency": 1005.0, "Lockin:MainsPickup": 1e-6})
        return await fill(pvs)

    record = asyncio.run(run())
    turning = record["X"] + 1j * record["Y"]
    gain = (1 + (2 * np.pi * 5 * 0.01) ** 2) ** -2
    share = np.mean(turning * np.exp(2j * np.pi * 5 * record["Time"]))
    assert abs(share) == pytest.approx(1e-6 * gain, rel=1e-3)


def test_overload_in_the_buffer_is_said():
    pvs = rack("", Sample(), speed=1e5, seed=1)

    async def run(full_scale):
        await put(pvs, ON | {"Magnet:FieldReadback": 42.5, "Lockin:Sensitivity": full_scale})
        record = await fill(pvs, pvs["Lockin:BufferRun"].value + 1)
        return pvs["Lockin:BufferOverload"].value, abs(record["X"]).max()

    flag, largest = asyncio.run(run(1e-6))
    assert (flag, largest) == ("Yes", pytest.approx(1.09e-6))
    assert asyncio.run(run(1e-3))[0] == "No"


def test_average_of_a_recording_is_a_reading_of_the_same_window():
    """The mean of dense samples scatters like the mean that readings are drawn from."""
    poles, random, dense = 2, np.random.default_rng(1), 200
    one, settled = step(poles, 3.0 / dense), step(poles, np.inf)
    state = settled.spread @ random.standard_normal((poles, 4000))
    total = np.zeros(4000)
    for _ in range(dense):
        after = one.keep @ state + one.spread @ random.standard_normal((poles, 4000))
        total += (state[-1] + after[-1]) / 2 / dense
        state = after
    assert total.var() == pytest.approx(average(poles, np.inf, 3.0).covariance[0, 0], rel=0.08)
