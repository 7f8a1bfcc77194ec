"""Front end of the lock-in amplifier: its settings, its reference, and what reaches its filter."""

import asyncio
from cmath import exp
from math import isclose, radians

import numpy as np

from .instrument import Instrument
from .physics import Bench, Sample
from .physics.noise import POLES, mains, settling_time
from .pv import PV, readback, setting
from .upstream import Upstream

LOCKING_PERIODS = 10  # of the reference, for phase lock and flush after a change upstream
FULL_SCALE = 1.09  # of the sensitivity: the output saturates there
RANGES = [float(f"{digit}e{power}") for power in range(-9, 1) for digit in (1, 2, 5)][1:-2]
CHANGES = {"time_constant", "filter_slope", "phase", "harmonic"}  # what the filter must forget


class Demodulator(Instrument):
    """Multiplies with the reference; every output of the lock-in starts here."""

    time_constant = setting(0.01, "s", 1e-5, 30, "Of one filter stage")
    filter_slope = PV(value=24, units="dB/oct", doc="6, 12, 18 or 24: one RC stage for every 6")
    sensitivity = setting(1e-3, "V", 2e-9, 1, "Full scale: 1, 2 or 5, 10, 20, ...", precision=9)
    phase = setting(0.0, "deg", -180, 180, "Of the reference against the modulation")
    harmonic = setting(1, "", 1, 2, "Of the reference that is demodulated")
    settling = setting(1e-3, "", 1e-6, 0.5, "Relative inaccuracy at which the wait ends")
    reference_frequency = readback(600.0, "Hz", "Of the modulation, while it is on")
    mains_pickup = setting(
        0.0, "V", 0, 1e-3, "Of the twin: rms of each line of the mains at the input", precision=9
    )

    def __init__(
        self, prefix: str, *, sample: Sample, upstream: Upstream, seed: int | None, **kwargs
    ):
        super().__init__(prefix, **kwargs)
        self._sample, self._upstream = sample, upstream
        self._seed = np.random.SeedSequence(seed).entropy
        self._looking = asyncio.Lock()

    def drive(self, attribute: str, pv, value) -> None:
        """Count a new setting of the filter or the reference as a change."""
        if attribute in CHANGES:
            self.last_change = self.clock.now()

    async def look(self) -> tuple[Bench, float]:
        """Return what is upstream, and how long [s] nothing there or here has changed."""
        async with self._looking:  # one connects to the others, over the wire
            bench, quiet = await self._upstream.look()
        return bench, min(quiet, self.quiet())

    @property
    def poles(self) -> int:
        """Number of RC stages."""
        return POLES[self.filter_slope.value]

    @property
    def limit(self) -> float:
        """Where the outputs saturate [V]."""
        return FULL_SCALE * self.sensitivity.value

    def settling_time(self, bench: Bench) -> float:
        """Return how long [s] after the last change the filter and the reference have settled."""
        filtered = settling_time(self.poles, self.time_constant.value, self.settling.value)
        return max(filtered, LOCKING_PERIODS / bench.rf_modulation_frequency)

    def demodulated(self, bench: Bench):
        """Return what goes into the filter without noise: X + iY [V]."""
        signal = self._sample.signal(bench, self.harmonic.value)
        return signal * exp(-1j * radians(self.phase.value))

    def density(self, bench: Bench) -> float:
        """Return the noise where the lock-in listens [V/sqrt(Hz)]."""
        frequency = self.harmonic.value * bench.rf_modulation_frequency
        return self._sample.noise_density(bench, frequency)

    def mains(self, bench: Bench, window: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
        """Return beat frequency [Hz] and complex amplitude [V] of the mains in the output."""
        frequency = self.harmonic.value * bench.rf_modulation_frequency
        beat, gain = mains(frequency, self.poles, self.time_constant.value, window)
        return beat, self.mains_pickup.value * gain

    @filter_slope.putter
    async def filter_slope(self, instance, value):
        """Refuse a slope that no number of stages gives."""
        if value not in POLES:
            raise ValueError(f"{value} dB/oct; needs one of {', '.join(map(str, POLES))}")
        return await self.group_write(instance, value)

    @sensitivity.putter
    async def sensitivity(self, instance, value):
        """Refuse what is not on the switch."""
        for full_scale in RANGES:
            if isclose(value, full_scale, rel_tol=1e-6):
                return full_scale
        raise ValueError(f"{value:g} V; needs 1, 2 or 5 times a power of ten")

    @reference_frequency.getter
    async def reference_frequency(self, instance):
        """Look at the rf source."""
        bench, _ = await self.look()
        return bench.rf_modulation_frequency if bench.rf_modulation else 0.0
