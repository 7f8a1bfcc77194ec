"""Faults on request: a PV that makes an instrument fail, and scenarios that do so in time.

They are served only when asked for (``--faults``, ``--scenario``). A fault lasts until ``none`` is
put; a mishap happens, and the PV is back at ``none``. An instrument has one fault at a time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite, nan
from pathlib import Path
from typing import Any

from caproto import AlarmSeverity, ChannelData, ChannelEnum, ChannelType

from .bench_file import BenchFileError, read_toml
from .channel import Disturbance
from .clock import LaboratoryClock
from .instrument import Instrument

NONE, DROPPED = "none", "dropped circuits"
SLOW = 2.0  # s of the wall clock, longer than a client waits for an answer
WRONG_BY = -3600.0  # s
READINGS = {
    "frozen readback": {"frozen": True},
    "slow readback": {"delay": SLOW},
    "NaN readback": {"value": nan},
    "wrong time": {"shift": WRONG_BY},
    "minor alarm": {"severity": AlarmSeverity.MINOR_ALARM},
    "major alarm": {"severity": AlarmSeverity.MAJOR_ALARM},
    "invalid alarm": {"severity": AlarmSeverity.INVALID_ALARM},
}
PUTS = {"refused puts": {"refuses": True}, "lost completion": {"completes": False}}


def names(kind: type[Instrument]) -> tuple[str, ...]:
    """Return what can happen to a kind of instrument."""
    return (NONE, *READINGS, *PUTS, DROPPED, *kind.faults, *kind.mishaps)


class Fault(ChannelEnum):
    """PV that makes one instrument fail."""

    def __init__(self, instrument: Instrument):
        super().__init__(value=NONE, enum_strings=names(type(instrument)))
        self.__doc__ = "Puts a fault on the instrument; none ends it"
        self._instrument = instrument

    async def verify_value(self, data):
        """End the fault of before and begin this one; returns what lasts.

        Raises:
            ValueError: On a fault that this instrument does not have.
        """
        fault = await super().verify_value(data)
        if fault not in self.enum_strings:
            raise ValueError(f"{fault!r}; needs one of: {', '.join(self.enum_strings)}")
        await self._end(self.value)
        await self._begin(fault)
        return NONE if fault in (DROPPED, *self._instrument.mishaps) else fault

    async def _begin(self, fault: str) -> None:
        if fault in READINGS:
            await self._disturb(self._readings(), Disturbance(**READINGS[fault]))
        elif fault in PUTS:
            await self._disturb(self._settings(), Disturbance(**PUTS[fault]))
        elif fault == DROPPED and self._instrument.drop_circuits:
            await self._instrument.drop_circuits()
        elif fault in (*self._instrument.faults, *self._instrument.mishaps):
            await self._instrument.suffer(fault)

    async def _end(self, fault: str) -> None:
        if fault in READINGS:
            await self._disturb(self._readings(), None)
        elif fault in PUTS:
            await self._disturb(self._settings(), None)
        elif fault in self._instrument.faults:
            await self._instrument.recover(fault)

    async def _disturb(self, pvs: list, disturbance: Disturbance | None) -> None:
        for pv in pvs:
            if pv.disturbance and disturbance is None:
                pv.disturbance.lifted.set()
            await pv.disturb(disturbance)

    def _readings(self) -> list:
        """Return the numbers that the instrument measures, without flags and books."""
        return [
            pv
            for name, pv in self._instrument.attr_pvdb.items()
            if pv.pvspec.read_only and pv.data_type == ChannelType.DOUBLE and not shared(name)
        ]

    def _settings(self) -> list:
        pvs = self._instrument.attr_pvdb.items()
        return [pv for name, pv in pvs if not pv.pvspec.read_only and not shared(name)]


def shared(attribute: str) -> bool:
    """Return whether every instrument has this attribute, so that no fault concerns it."""
    return hasattr(Instrument, attribute)


@dataclass(frozen=True)
class Entry:
    """One line of a scenario: at this laboratory time [s] after the start, that fault."""

    time: float
    instrument: str
    fault: str


def read_scenario(path: Path, kinds: Mapping[str, type[Instrument]]) -> list[Entry]:
    """Return the entries of a scenario file, ``[[fault]]`` tables, in the order of their times.

    Args:
        path: Of the file.
        kinds: The instruments there are, by name.

    Raises:
        BenchFileError: On a file that cannot be read or an entry that cannot be played.
    """
    content = read_toml(path)
    try:
        if content.keys() != {"fault"} or not isinstance(content["fault"], list):
            raise ValueError("needs [[fault]] tables and nothing else")
        entries = [entry(table, kinds) for table in content["fault"]]
    except (TypeError, ValueError) as error:
        raise BenchFileError(f"{path}: {error}") from error
    return sorted(entries, key=lambda entry: entry.time)


def entry(table: Any, kinds: Mapping[str, type[Instrument]]) -> Entry:
    """Return one checked entry.

    Raises:
        ValueError: On wrong keys, a time below 0, an unknown instrument or fault.
    """
    if not isinstance(table, dict) or table.keys() != {"time", "instrument", "fault"}:
        raise ValueError(f"{table!r}; needs the keys time, instrument and fault")
    time, instrument, fault = table["time"], table["instrument"], table["fault"]
    number = isinstance(time, int | float) and not isinstance(time, bool)
    if not number or not isfinite(time) or time < 0:
        raise ValueError(f"time = {time!r}; needs laboratory seconds after the start")
    if instrument not in kinds:
        raise ValueError(f"instrument = {instrument!r}; needs one of: {', '.join(kinds)}")
    if fault not in (known := names(kinds[instrument])):
        raise ValueError(f"fault = {fault!r} of {instrument}; needs one of: {', '.join(known)}")
    return Entry(float(time), instrument, fault)


async def play(
    entries: list[Entry], pvs: Mapping[str, ChannelData], prefix: str, clock: LaboratoryClock
) -> None:
    """Put the faults at their times, for the instruments that are served here."""
    began = clock.now()
    for item in entries:
        pv = pvs.get(f"{prefix}{item.instrument.capitalize()}:Fault")
        if pv is None:
            continue
        await clock.sleep(began + item.time - clock.now())
        await pv.write(item.fault)
