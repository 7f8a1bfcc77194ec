"""Faults on request: a PV that makes an instrument fail.

They are served only when asked for (``--faults``, ``--scenario``). A fault lasts until ``none`` is
put; a mishap happens, and the PV is back at ``none``. An instrument has one fault at a time.
"""

from math import nan

from caproto import AlarmSeverity, ChannelEnum, ChannelType

from .channel import Disturbance
from .instrument import Instrument

NONE, DROPPED = "none", "dropped circuits"
SLOW = 4.0  # s of the wall clock, longer than a client waits for an answer
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
