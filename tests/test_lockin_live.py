"""The output between the readings."""

import asyncio
import os
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from laboratory import free_port, ioc

from odmrlab.ioc.lockin_noise import Averages, Window
from odmrlab.ioc.physics import Bench, Sample
from odmrlab.ioc.physics.filter import step
from odmrlab.ioc.physics.noise import noise_bandwidth
from odmrlab.ioc.physics.sample import Detector
from odmrlab.ioc.rack import rack


class Clock:
    """A clock that the test turns."""

    speed, time = 1.0, 1000.0

    def now(self) -> float:
        return self.time


def lockin(sample: Sample):
    made = rack("", sample, seed=2)["Lockin:Shot"].group
    made.clock = Clock()
    return made


LIT = {"laser_shutter": 1, "laser_power_readback": 2.0, "magnet_field_readback": 42.5}


@pytest.mark.parametrize("slope", [6, 12, 18, 24])
def test_output_after_a_step_is_that_of_the_stages(slope):
    """However the looks fall, the output is the step response; so is what is left after the wait."""
    sample = Sample(detector=Detector(dark_noise=0.0, shot_noise=0.0))
    live, poles = lockin(sample), slope // 6
    asyncio.run(live.filter_slope.write(slope))
    dark, bright = Bench(**LIT), Bench(**LIT, rf_output=1)
    assert live.advance(dark) == 0
    live.clock.time += 1e-9
    live.advance(bright)
    truth, began = sample.signal(bright), live.clock.time
    for pause in (1e-4, 0.003, 0.02, 0.05, 0.001):
        live.clock.time += pause
        passed = (live.clock.time - began) / 0.01
        expected = truth * step(poles, passed).hold[-1]
        assert live.advance(bright) == pytest.approx(expected, rel=1e-5, abs=1e-12)
    live.clock.time = began + live.settling_time(bright)
    left = 1 - live.advance(bright) / truth
    assert left.real == pytest.approx(1e-3 if slope > 6 else left.real, rel=0.01)


@pytest.mark.parametrize("pause", [0.001, 0.1])
def test_noise_of_the_output_is_that_of_the_bandwidth(pause):
    sample = Sample()
    live, bench = lockin(sample), Bench(**LIT)
    seen = []
    for _ in range(20000):
        live.clock.time += pause
        seen.append(live.advance(bench))
    variance = sample.noise_density(bench, 600.0) ** 2 * noise_bandwidth(4, 0.01)
    assert np.var(seen) / 2 == pytest.approx(variance, rel=0.05)


def test_new_filter_starts_settled():
    live, bench = lockin(Sample()), Bench(**LIT, rf_output=1)
    live.advance(bench)
    asyncio.run(live.filter_slope.write(6))
    live.clock.time += 1e-6
    assert abs(live.advance(bench)) == pytest.approx(abs(Sample().signal(bench)), rel=0.2)


def test_signal_that_was_no_number_is_forgotten():
    live, bench = lockin(Sample()), Bench(**LIT, rf_output=1)
    assert np.isnan(live.advance(replace(bench, cryostat_temperature_readback=np.nan)))
    live.clock.time += 1e-6
    assert abs(live.advance(bench)) == pytest.approx(abs(Sample().signal(bench)), rel=0.2)
    window = Window(poles=4, time_constant=0.01, gap=0.1, length=0.1)
    spoilt, fresh = Averages(seed=1), Averages(seed=1)
    assert np.isnan(spoilt.take(1, window, complex(np.nan), 1e-9, np.zeros(0)))
    assert spoilt.take(2, window, 1e-6, 1e-9, np.zeros(0)) == fresh.take(
        2, window, 1e-6, 1e-9, np.zeros(0)
    )


def test_output_saturates():
    live = lockin(Sample())
    asyncio.run(live.sensitivity.write(1e-6))
    value = live.advance(Bench(**LIT, rf_output=1))
    assert value.real == pytest.approx(1.09e-6)


def test_output_is_invalid_while_upstream_is_lost():
    port = free_port()
    env = os.environ | {"EPICS_CA_ADDR_LIST": f"127.0.0.1:{port}"}
    with ioc("lockin", "--prefix", "V:", port=port, env=env):
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            words = [sys.executable, "-c", LOOK]
            done = subprocess.run(words, capture_output=True, text=True, env=env, check=True)
            if "nan" in done.stdout:
                break
        while time.monotonic() < deadline + 10 and beats(env) < 3:
            pass
        assert beats(env) >= 3  # it lives on without the others
    assert done.stdout.split() == ["nan", "3"]  # INVALID


def beats(env: dict[str, str]) -> int:
    words = [sys.executable, "-c", HEART]
    return int(subprocess.run(words, capture_output=True, text=True, env=env, check=True).stdout)


HEART = """
from caproto.sync.client import read
print(read("V:Lockin:Heartbeat", repeater=False).data[0])
"""


LOOK = """
from caproto.sync.client import read
answer = read("V:Lockin:LiveX", data_type="time", repeater=False)
print(answer.data[0], int(answer.metadata.severity))
"""
