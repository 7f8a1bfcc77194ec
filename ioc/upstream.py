"""What the lock-in knows of the instruments before it: the bench, and how long it has been quiet."""

import asyncio
import os
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Protocol

# Read once, when the client is imported: an instrument that was started anew is found in a moment.
os.environ.setdefault("CAPROTO_CLIENT_MAX_RETRY_SEARCHES_INTERVAL_SEC", "0.5")

from caproto import CaprotoError, ChannelType
from caproto.asyncio.client import Context

from .instrument import Instrument
from .physics import Bench

ANSWER_TIME = 2.0  # s of the wall clock for all instruments to answer


class UpstreamError(RuntimeError):
    """An instrument before the lock-in does not answer."""


class Upstream(Protocol):
    """The instruments between the generator and the lock-in, seen from the lock-in."""

    async def look(self) -> tuple[Bench, float]:
        """Return the bench as it stands and the time [s] since anything there last changed."""
        ...

    def mark(self, bench: Bench) -> object:
        """Return something that is equal only while nothing changes; no clock has a say in it."""
        ...


class SameProcess:
    """Instruments that share one bench with the lock-in."""

    def __init__(self, bench: Bench, instruments: Iterable[Instrument]):
        self._bench, self._instruments = bench, list(instruments)

    async def look(self) -> tuple[Bench, float]:
        for instrument in self._instruments:
            if instrument.in_motion:
                await self._follow(instrument)
        return self._bench, min(instrument.quiet() for instrument in self._instruments)

    async def _follow(self, instrument: Instrument) -> None:
        """Bring the bench up to this moment; a readback that moves is posted only now and then."""
        for attribute, pv in instrument.attr_pvdb.items():
            reaches = hasattr(self._bench, f"{instrument.name}_{attribute}")
            if reaches and pv.getter and (value := await pv.getter(pv)) is not None:
                instrument.drive(attribute, pv, value)

    def mark(self, bench: Bench) -> object:
        return tuple(instrument.last_change for instrument in self._instruments)


class OverTheWire:
    """Instruments in other processes or on other hosts, read over Channel Access at the shot.

    Args:
        names: PV of each bench line, by line.
        quiet_times: PVs that count the quiet time of each instrument.
    """

    def __init__(self, names: dict[str, str], quiet_times: list[str]):
        self._names, self._quiet_times = names, quiet_times
        self._context: Context | None = None
        self._endings: set[asyncio.Task] = set()  # of clients that are forgotten
        self._pvs = {}

    async def look(self) -> tuple[Bench, float]:
        """Read every PV anew.

        Raises:
            UpstreamError: Naming the PVs that do not answer.
        """
        if self._context is None:
            self._context = Context()
            wanted = [*self._names.values(), *self._quiet_times]
            self._pvs = {pv.name: pv for pv in await self._context.get_pvs(*wanted)}
        answers = await asyncio.gather(*(self._ask(pv) for pv in self._pvs.values()))
        held = dict(zip(self._pvs, answers, strict=True))
        if silent := [name for name, value in held.items() if value is None]:
            self._forget()
            raise UpstreamError(f"no answer from {', '.join(silent)}; needs their IOC to run")
        bench = Bench(**{line: held[name] for line, name in self._names.items()})
        return bench, min(held[name] for name in self._quiet_times)

    def _forget(self) -> None:
        """Look for all of them anew next time: a client that gave up a hung server stays without."""
        context, self._context = self._context, None
        if context is not None:
            ending = asyncio.create_task(context.disconnect())
            self._endings.add(ending)
            ending.add_done_callback(self._endings.discard)

    def mark(self, bench: Bench) -> object:
        return bench

    async def _ask(self, pv) -> float | int | None:
        try:
            async with asyncio.timeout(ANSWER_TIME):
                await pv.wait_for_connection()
                native = await pv.read(data_type=ChannelType.DOUBLE)
                return native.data[0].item()
        except (OSError, CaprotoError):  # a circuit that is reset under the question is an OSError
            return None


def over_the_wire(prefix: str, seen: Mapping[str, str]) -> OverTheWire:
    """Return the upstream of a lock-in that is served alone.

    Args:
        prefix: Of every PV.
        seen: Lines whose PV tells another value than the sample sees, with the name that tells it.
    """
    lines = {item.name: pv_name(prefix, seen.get(item.name, item.name)) for item in fields(Bench)}
    instruments = sorted({line.split("_")[0] for line in lines})
    return OverTheWire(lines, [pv_name(prefix, f"{name}_quiet_time") for name in instruments])


def pv_name(prefix: str, line: str) -> str:
    """Return the PV of a bench line: magnet_field_readback is <prefix>Magnet:FieldReadback."""
    instrument, *words = line.split("_")
    return f"{prefix}{instrument.capitalize()}:{''.join(word.capitalize() for word in words)}"
