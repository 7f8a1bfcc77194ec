"""Lock-in amplifier."""

import asyncio
from cmath import phase as angle
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from math import degrees, inf, remainder
from typing import ClassVar

import numpy as np

from .lockin_buffer import Buffer
from .lockin_demodulator import RANGES
from .lockin_live import Live
from .lockin_noise import Averages, Window
from .physics import Bench
from .physics.noise import standard_error
from .pv import PV, flag, readback, setting
from .upstream import UpstreamError

AUTOMATIC = 3  # stream of random numbers, apart from that of the readings
OVERLOAD, UNLOCK = "overload", "unlock"
SHORTLY = 0.5  # s of the wall clock
SAFE = 4.0  # standard errors that an automatic range leaves on top, and a phase needs below


class Lockin(Live, Buffer):
    """Dual-phase lock-in amplifier; its reference comes from the modulation of the rf source.

    caput -c -w 60 ODMR:Lockin:Shot 1       takes reading 1; complete when settled and averaged
    caget ODMR:Lockin:Reading               that reading as one row
    camonitor ODMR:Lockin:LiveX             shows the output 10 times a second
    caput -c -w 60 ODMR:Lockin:AutoRange 1  finds the sensitivity
    caput -c -w 60 ODMR:Lockin:AutoPhase 1  turns the signal into X
    caput -c -w 60 ODMR:Lockin:BufferRun 1  fills BufferX, BufferY, BufferField, BufferTime
    """

    faults: ClassVar = (OVERLOAD, UNLOCK)
    at_shot: Callable[[int], Awaitable[None]] | None = None
    """Called with the number of every shot before it is taken; a scenario can stand there."""

    integration_time = setting(0.3, "s", 1e-3, 1e4, "Averaged for one reading")
    settling_limit = setting(
        30.0, "s", 0, 1e5, "Longest wait for upstream to be quiet; then a reading is unsettled"
    )
    shot = PV(value=0, doc="Number of the last reading; put the next one to take it")
    x = readback(0.0, "V", "In phase, rms", precision=12)
    y = readback(0.0, "V", "Quadrature, rms", precision=12)
    x_error = readback(inf, "V", "Standard error of x", precision=12)
    y_error = readback(inf, "V", "Standard error of y", precision=12)
    overload = flag("The last reading exceeded the sensitivity")
    unlocked = flag("The last reading had no reference")
    unsettled = flag("Upstream was never quiet for the last reading")
    reading_time = readback(0.0, "s", "Laboratory time that a reading takes after a change")
    reading = readback(
        [0.0] * 9,
        "",
        "Of one shot: number, x, y, errors of x and y, overload, unlocked, time, unsettled",
    )
    auto_range = PV(value=0, doc="Put 1 to find the sensitivity; 1 when it was found")
    auto_phase = PV(value=0, doc="Put 1 to turn the signal into X; 1 when it was turned")

    def __init__(self, prefix: str, **kwargs):
        super().__init__(prefix, **kwargs)
        self._averages = Averages(self._seed)
        self._last: object = None  # mark of the reading before
        self._tries, self._failing = 0, ""
        self._taking, self._seen = asyncio.Lock(), self.bench

    @property
    def busy(self) -> bool:
        return self._taking.locked()

    async def look(self) -> tuple[Bench, float]:
        """Return what is upstream; nothing is demodulated without a reference."""
        bench, quiet = await super().look()
        return (replace(bench, rf_modulation=0) if self._failing == UNLOCK else bench), quiet

    async def suffer(self, fault: str) -> None:
        self._failing = fault
        self.last_change = self.clock.now()

    async def recover(self, fault: str) -> None:
        await self.suffer("")

    @reading_time.getter
    async def reading_time(self, instance):
        """Work it out of the settings of this moment, or of before while upstream is silent.

        A client that asks waits in line behind nothing else: its lease must not run out meanwhile.
        """
        with suppress(TimeoutError, UpstreamError):
            async with asyncio.timeout(SHORTLY):
                self._seen, _ = await self.look()
        return self.settling_time(self._seen) + self.integration_time.value

    @shot.putter
    async def shot(self, instance, value):
        """Take one reading and publish it; the number changes only when it is there.

        Raises:
            ValueError: On a number that is not new.
        """
        async with self._taking:
            if value <= instance.value:
                raise ValueError(f"{value} is not new; needs more than {instance.value}")
            if self.at_shot:
                await self.at_shot(value)
            await self._publish(value, *await self._settled())
            return value

    async def _settled(self) -> tuple[Bench, bool]:
        """Wait until all upstream has settled and stays so for the integration time.

        Returns:
            The bench, and whether it was quiet; when not, the window has passed all the same.
        """
        window, latest = self.integration_time.value, inf
        while True:
            bench, quiet = await self.look()
            now, wait = self.clock.now(), self.settling_time(bench)
            latest = min(latest, now + wait + self.settling_limit.value)
            if (missing := wait - quiet) > 0 and now < latest:
                await self.clock.sleep(min(missing, latest - now))
                continue
            await self.clock.sleep(window)
            bench, quiet = await self.look()
            if missing <= 0 and quiet >= window:
                return bench, True
            if self.clock.now() >= latest + window:
                return bench, False

    def _read(self, number: int, bench: Bench) -> tuple[complex, float]:
        """Return X + iY and the standard error of each [V]."""
        mark = (self._upstream.mark(bench), self.last_change)
        gap = 0.0 if mark == self._last else self.settling_time(bench)
        self._last = mark
        length = self.integration_time.value
        window = Window(self.poles, self.time_constant.value, gap, length)
        _, leak = self.mains(bench, length)
        signal = complex(self.demodulated(bench))
        value = self._averages.take(number, window, signal, self.density(bench), leak)
        return value, self._error(bench)

    def _error(self, bench: Bench) -> float:
        tau, window = self.time_constant.value, self.integration_time.value
        return standard_error(self.density(bench), self.poles, tau, window)

    async def _publish(self, number: int, bench: Bench, settled: bool) -> None:
        value, error = self._read(number, bench)
        if self._failing == OVERLOAD:
            value = complex(inf, inf)
        overload = max(abs(value.real), abs(value.imag)) > self.limit
        unlocked, value = not bench.rf_modulation, self.saturated(value)
        numbers = {"x": float(value.real), "y": float(value.imag)}
        numbers |= {"x_error": error, "y_error": error}
        flags = {"overload": overload, "unlocked": unlocked, "unsettled": not settled}
        row = [number, *numbers.values(), overload, unlocked, self.clock.now(), not settled]
        await self.reading.write([float(item) for item in row])
        for name, item in numbers.items():
            await getattr(self, name).write(item)
        for name, item in flags.items():
            await getattr(self, name).write("Yes" if item else "No")

    async def _sounded(self) -> tuple[complex, float]:
        """Return X + iY of a reading that nobody counts, and the standard error of each [V].

        Raises:
            ValueError: When upstream is not quiet.
        """
        bench, settled = await self._settled()
        if not settled:
            raise ValueError("upstream is not quiet; needs it to be, within SettlingLimit")
        self._tries += 1
        error = self._error(bench)
        random = np.random.default_rng([self._seed, self._tries, AUTOMATIC])
        noise = error * complex(*random.standard_normal(2))
        return complex(self.demodulated(bench)) + noise, error

    @auto_range.putter
    async def auto_range(self, instance, value):
        """Choose the smallest sensitivity that the output fits in.

        Raises:
            ValueError: When none does, or upstream is not quiet.
        """
        async with self._taking:
            await instance.write(0, verify_value=False)
            if not value:
                return 0
            output, error = await self._sounded()
            largest = max(abs(output.real), abs(output.imag)) + SAFE * error
            fitting = [full_scale for full_scale in RANGES if full_scale >= largest]
            if not fitting:
                raise ValueError(
                    f"the signal is {abs(output):.3g} V; needs one below {RANGES[-1]:g}"
                )
            await self.sensitivity.write(fitting[0])
            return 1

    @auto_phase.putter
    async def auto_phase(self, instance, value):
        """Set the phase at which Y vanishes and X is positive.

        Raises:
            ValueError: When the signal drowns in its noise, or upstream is not quiet.
        """
        async with self._taking:
            await instance.write(0, verify_value=False)
            if not value:
                return 0
            output, error = await self._sounded()
            if abs(output) < SAFE * error:
                seen = f"the signal is {abs(output):.3g} V, its error {error:.3g} V"
                raise ValueError(f"{seen}; needs {SAFE:g} errors")
            await self.phase.write(remainder(self.phase.value + degrees(angle(output)), 360))
            return 1
