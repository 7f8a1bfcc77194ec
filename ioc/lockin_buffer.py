"""Sweep buffer of the lock-in amplifier."""

import asyncio
from dataclasses import dataclass, replace
from math import inf, sqrt

import numpy as np

from .lockin_demodulator import Demodulator
from .physics import Bench
from .physics.filter import step
from .pv import PV, flag, readback, setting

LONGEST = 8192  # samples
LOOK_PERIOD = 0.01  # s of the wall clock, between two looks upstream
STREAM = 2  # of random numbers, apart from that of the readings


@dataclass
class Recording:
    """What a buffer holds so far; the filter goes through every sample of it."""

    x: np.ndarray
    field: np.ndarray
    filled: int = 0


class Buffer(Demodulator):
    """Samples X, Y and the field at an even rate, while something upstream moves.

    Nothing is waited for: the samples come out of the filter with its lag. Between two looks
    upstream, 10 ms of the wall clock apart, the field is taken to move evenly.
    """

    buffer_size = setting(1000, "", 2, LONGEST, "Samples to take")
    buffer_rate = setting(100.0, "1/s", 1e-3, 1e5, "Samples per second of laboratory time")
    buffer_run = PV(value=0, doc="Number of the last full buffer; put the next one to fill it")
    buffer_stop = PV(value=0, doc="Put 1 to end the filling; what there is is kept")
    buffer_filled = readback(0, "", "Samples taken so far")
    buffer_overload = flag("A sample of the last buffer exceeded the sensitivity")
    buffer_x = readback([0.0], "V", "In phase, rms", max_length=LONGEST)
    buffer_y = readback([0.0], "V", "Quadrature, rms", max_length=LONGEST)
    buffer_field = readback([0.0], "mT", "Field at each sample", max_length=LONGEST)
    buffer_time = readback([0.0], "s", "Since the first sample", max_length=LONGEST)

    def __init__(self, prefix: str, **kwargs):
        super().__init__(prefix, **kwargs)
        self._filling, self._stopped = asyncio.Lock(), False

    @buffer_run.putter
    async def buffer_run(self, instance, value):
        """Fill the buffer and publish it; the number changes only when it is there.

        Raises:
            ValueError: On a number that is not new, or while the buffer fills.
        """
        if self._filling.locked():
            raise ValueError("the buffer is filling; needs it to be full, or BufferStop")
        if value <= instance.value:
            raise ValueError(f"{value} is not new; needs more than {instance.value}")
        async with self._filling:
            self._stopped = False
            await self._publish_buffer(await self._fill(value), 1 / self.buffer_rate.value)
            return value

    @buffer_stop.putter
    async def buffer_stop(self, instance, value):
        """End the filling."""
        self._stopped = self._stopped or bool(value)
        return 0

    async def _fill(self, number: int) -> Recording:
        size, period = self.buffer_size.value, 1 / self.buffer_rate.value
        chain = Chain(self, size, period, np.random.default_rng([self._seed, number, STREAM]))
        before, _ = await self.look()
        began = seen = self.clock.now()
        chain.start(before := replace(before))
        while chain.record.filled < size and not self._stopped:
            last = began + (size - 1) * period
            await self.clock.sleep(min(max(LOOK_PERIOD * self.clock.speed, period), last - seen))
            asked = self.clock.now()
            bench, _ = await self.look()
            now = (asked + self.clock.now()) / 2  # over the wire an answer takes its time
            chain.run(seen - began, now - began, before, bench)
            seen, before = now, replace(bench)
            await self.buffer_filled.write(chain.record.filled)
        return chain.record

    async def _publish_buffer(self, record: Recording, period: float) -> None:
        x, field = record.x[: record.filled], record.field[: record.filled]
        over = np.abs([x.real, x.imag]).max() > self.limit
        low, high = -self.limit, self.limit
        await self.buffer_x.write(np.clip(x.real, low, high).tolist())
        await self.buffer_y.write(np.clip(x.imag, low, high).tolist())
        await self.buffer_field.write(field.tolist())
        await self.buffer_time.write((period * np.arange(record.filled)).tolist())
        await self.buffer_overload.write("Yes" if over else "No")


class Chain:
    """The filter behind one buffer, with the settings that it began with.

    The noise of every sample is drawn when it begins, so it does not depend on when somebody looks.
    """

    def __init__(self, lockin: Demodulator, size: int, period: float, random: np.random.Generator):
        self._lockin, self._period = lockin, period
        self._poles, self._tau = lockin.poles, lockin.time_constant.value
        self._step = step(self._poles, period / self._tau)
        self._draws = random.standard_normal((size, self._poles, 2)) @ [1, 1j]
        self._lines = random.uniform(0, 2 * np.pi, 20)  # phases of the mains
        self.record = Recording(np.zeros(size, complex), np.zeros(size))

    def start(self, bench: Bench) -> None:
        """Take the first sample: the filter has settled on what is there."""
        settled = step(self._poles, inf)
        self._input = complex(self._lockin.demodulated(bench))
        self._state = self._input + self._noise(bench) * (settled.spread @ self._draws[0])
        self._take(0, 1, np.array([self._state[-1]]), bench, bench.magnet_field_readback)

    def run(self, seen: float, now: float, before: Bench, bench: Bench) -> None:
        """Take the samples that are due.

        Args:
            seen: Time of the look before, since the buffer began [s].
            now: Time of this look [s].
            before: Bench at the look before.
            bench: Bench at this look.
        """
        first = self.record.filled
        last = min(int(now / self._period) + 1, len(self.record.x))
        if last <= first:
            return
        ends = [before.magnet_field_readback, bench.magnet_field_readback]
        field = np.interp(self._period * np.arange(first, last), [seen, now], ends)
        moving = replace(bench, magnet_field_readback=field)
        after = np.broadcast_to(self._lockin.demodulated(moving), field.shape)
        start = np.concatenate([[self._input], after[:-1]])
        add = np.outer(start, self._step.hold) + np.outer(after - start, self._step.ramp)
        add += self._noise(bench) * self._draws[first:last] @ self._step.spread.T
        out = np.empty(last - first, complex)
        for index, item in enumerate(add):
            self._state = self._step.keep @ self._state + item
            out[index] = self._state[-1]
        self._input = after[-1]
        self._take(first, last, out, bench, field)

    def _noise(self, bench: Bench) -> float:
        return self._lockin.density(bench) / sqrt(2 * self._tau)

    def _take(self, first: int, last: int, out: np.ndarray, bench: Bench, field) -> None:
        time = self._period * np.arange(first, last)
        beat, leak = self._lockin.mains(bench)
        turned = np.exp(1j * (2 * np.pi * np.outer(time, beat) + self._lines))
        self.record.x[first:last] = out + turned @ leak
        self.record.field[first:last] = field
        self.record.filled = last
