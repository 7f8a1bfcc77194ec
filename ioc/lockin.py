"""Lock-in amplifier."""

import asyncio
from cmath import exp
from math import inf, radians

import numpy as np

from .instrument import Instrument
from .physics import Bench, Sample
from .physics.noise import POLES, settling_time, standard_error
from .pv import PV, flag, readback, setting
from .upstream import Upstream

LOCKING_PERIODS = 10  # of the reference, for phase lock and flush after a change upstream
FULL_SCALE = 1.09  # of the sensitivity: the output saturates there


class Lockin(Instrument):
    """Dual-phase lock-in amplifier; its reference comes from the modulation of the rf source.

    caput -c -w 60 ODMR:Lockin:Shot 1   takes reading 1; complete when it is settled and averaged
    caget ODMR:Lockin:Reading           shot, x, y, their errors, overload, unlocked, time
    """

    time_constant = setting(0.01, "s", 1e-5, 30, "Of one filter stage")
    filter_slope = PV(value=24, units="dB/oct", doc="6, 12, 18 or 24: one RC stage for every 6")
    sensitivity = setting(1e-3, "V", 2e-9, 1, "Full scale", precision=9)
    phase = setting(0.0, "deg", -180, 180, "Of the reference against the modulation")
    harmonic = setting(1, "", 1, 2, "Of the reference that is demodulated")
    integration_time = setting(0.3, "s", 1e-3, 1e4, "Averaged for one reading")
    settling = setting(1e-3, "", 1e-6, 0.5, "Relative inaccuracy at which the wait ends")
    shot = PV(value=0, doc="Number of the last reading; put the next one to take it")
    x = readback(0.0, "V", "In phase, rms", precision=12)
    y = readback(0.0, "V", "Quadrature, rms", precision=12)
    x_error = readback(inf, "V", "Standard error of x", precision=12)
    y_error = readback(inf, "V", "Standard error of y", precision=12)
    overload = flag("The last reading exceeded the sensitivity")
    unlocked = flag("The last reading had no reference")
    reference_frequency = readback(600.0, "Hz", "Of the modulation, while it is on")
    reading_time = readback(0.0, "s", "Laboratory time that a reading takes after a change")
    reading = readback(
        [0.0] * 8, "", "Of one shot: number, x, y, errors of x and y, overload, unlocked, time"
    )

    def __init__(
        self, prefix: str, *, sample: Sample, upstream: Upstream, seed: int | None, **kwargs
    ):
        super().__init__(prefix, **kwargs)
        self._sample, self._upstream = sample, upstream
        self._seed = np.random.SeedSequence(seed).entropy
        self._busy = asyncio.Lock()

    def drive(self, attribute: str, pv, value) -> None:
        """Count a new setting of the filter or the reference as a change."""
        if attribute in {"time_constant", "filter_slope", "phase", "harmonic"}:
            self.last_change = self.clock.now()

    @property
    def _poles(self) -> int:
        return POLES[self.filter_slope.value]

    def _settling_time(self, bench: Bench) -> float:
        tau, inaccuracy = self.time_constant.value, self.settling.value
        lock = LOCKING_PERIODS / bench.rf_modulation_frequency
        return max(settling_time(self._poles, tau, inaccuracy), lock)

    @filter_slope.putter
    async def filter_slope(self, instance, value):
        """Refuse a slope that no number of stages gives."""
        if value not in POLES:
            raise ValueError(f"{value} dB/oct; needs one of {', '.join(map(str, POLES))}")
        return await self.group_write(instance, value)

    @reference_frequency.getter
    async def reference_frequency(self, instance):
        """Look at the rf source."""
        bench, _ = await self._upstream.look()
        return bench.rf_modulation_frequency if bench.rf_modulation else 0.0

    @reading_time.getter
    async def reading_time(self, instance):
        """Work it out of the settings of this moment."""
        bench, _ = await self._upstream.look()
        return self._settling_time(bench) + self.integration_time.value

    @shot.putter
    async def shot(self, instance, value):
        """Take one reading and publish it; the number changes only when it is there.

        Raises:
            ValueError: On a number that is not new.
        """
        async with self._busy:
            if value <= instance.value:
                raise ValueError(f"{value} is not new; needs more than {instance.value}")
            await self._publish(value, await self._settled())
            return value

    async def _settled(self) -> Bench:
        """Wait until all upstream has settled and stays so for the integration time."""
        window = self.integration_time.value
        while True:
            bench, quiet = await self._upstream.look()
            missing = self._settling_time(bench) - min(quiet, self.quiet())
            if missing > 0:
                await self.clock.sleep(missing)
                continue
            await self.clock.sleep(window)
            bench, quiet = await self._upstream.look()
            if min(quiet, self.quiet()) >= window:
                return bench

    def _read(self, number: int, bench: Bench) -> tuple[complex, float]:
        """Return X + iY and the standard error of each [V]."""
        harmonic = self.harmonic.value
        clean = self._sample.signal(bench, harmonic)
        density = self._sample.noise_density(bench, harmonic * bench.rf_modulation_frequency)
        window = self.integration_time.value
        error = standard_error(density, self._poles, self.time_constant.value, window)
        # one generator a shot: the same seed and shot give the same noise, whatever came between
        noise = np.random.default_rng([self._seed, number]).normal(0.0, error, 2)
        return clean * exp(-1j * radians(self.phase.value)) + complex(*noise), error

    async def _publish(self, number: int, bench: Bench) -> None:
        value, error = self._read(number, bench)
        limit = FULL_SCALE * self.sensitivity.value
        overload = max(abs(value.real), abs(value.imag)) > limit
        unlocked = not bench.rf_modulation
        x, y = float(np.clip(value.real, -limit, limit)), float(np.clip(value.imag, -limit, limit))
        row = [number, x, y, error, error, overload, unlocked, self.clock.now()]
        await self.reading.write([float(item) for item in row])
        await self.x.write(x)
        await self.y.write(y)
        await self.x_error.write(error)
        await self.y_error.write(error)
        await self.overload.write("Yes" if overload else "No")
        await self.unlocked.write("Yes" if unlocked else "No")
