"""Live output of the lock-in amplifier, as its front panel shows it."""

from cmath import phase
from dataclasses import replace
from math import degrees, inf, nan, sqrt

import numpy as np
from caproto import AlarmSeverity, AlarmStatus

from .lockin_demodulator import Demodulator
from .physics import Bench
from .physics.filter import step
from .pv import readback
from .upstream import UpstreamError

LIVE_PERIOD = 0.1  # s of the wall clock
PATIENCE = 5.0  # s of the wall clock, after an instrument upstream did not answer
STREAM = 1  # of random numbers, apart from that of the readings

FINE = {"status": AlarmStatus.NO_ALARM, "severity": AlarmSeverity.NO_ALARM}
LOST = {"status": AlarmStatus.COMM, "severity": AlarmSeverity.INVALID_ALARM}


class Live(Demodulator):
    """Runs the filter in laboratory time between the readings, 10 times a second of the wall.

    Its noise has the statistics of the readings but is drawn apart from theirs: a reading must not
    depend on when somebody looked.
    """

    live_x = readback(0.0, "V", "In phase at this moment, rms; NaN when upstream is lost")
    live_y = readback(0.0, "V", "Quadrature at this moment, rms")
    live_r = readback(0.0, "V", "Magnitude at this moment, rms")
    live_theta = readback(0.0, "deg", "Phase at this moment")

    def __init__(self, prefix: str, **kwargs):
        super().__init__(prefix, **kwargs)
        self._random = np.random.default_rng([self._seed, 0, STREAM])
        self._lines = self._random.uniform(0, 2 * np.pi, 20)  # phases of the mains
        self._state = np.zeros(0, complex)
        self._input, self._stepped = 0j, 0.0

    @property
    def busy(self) -> bool:
        """Whether a reading is being taken."""
        return False

    @live_x.startup
    async def live_x(self, instance, async_lib):
        """Show the output for as long as the event loop turns."""
        while True:
            await async_lib.library.sleep(LIVE_PERIOD)
            if self.busy:
                continue
            try:
                bench, _ = await self.look()
                await self._show(self.advance(bench), FINE)
            except UpstreamError:
                await self._show(complex(nan, nan), LOST)
                await async_lib.library.sleep(PATIENCE)

    def advance(self, bench: Bench) -> complex:
        """Step the filter to this moment; the input went straight from what it was before.

        Returns:
            X + iY [V], saturated at full scale.
        """
        now, poles, tau = self.clock.now(), self.poles, self.time_constant.value
        known = len(self._state) == poles and np.isfinite([*self._state, self._input]).all()
        taken = step(poles, (now - self._stepped) / tau if known else inf)
        state, before = (self._state, self._input) if known else (np.zeros(poles, complex), 0j)
        after = complex(self.demodulated(bench)) if bench.rf_modulation else 0j
        draws = self._random.standard_normal((poles, 2)) @ [1, 1j]
        noise = self.density(bench) / sqrt(2 * tau) * (taken.spread @ draws)
        state = taken.keep @ state + taken.hold * before + taken.ramp * (after - before) + noise
        self._state, self._input, self._stepped = state, after, now
        beat, leak = self.mains(replace(bench))
        turned = np.exp(1j * (2 * np.pi * np.fmod(beat * now, 1.0) + self._lines))
        return self.saturated(state[-1] + leak @ turned)

    def saturated(self, value):
        """Return X + iY [V] as the outputs can give it."""
        limit = self.limit
        return np.clip(np.real(value), -limit, limit) + 1j * np.clip(np.imag(value), -limit, limit)

    async def _show(self, value: complex, alarm: dict) -> None:
        await self.live_x.write(value.real, **alarm)
        await self.live_y.write(value.imag, **alarm)
        await self.live_r.write(abs(value), **alarm)
        await self.live_theta.write(degrees(phase(value)), **alarm)
