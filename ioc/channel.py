"""What every PV of an instrument does on the wire: NaN is INVALID, and a fault can stand between."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from caproto import AlarmSeverity, AlarmStatus, ChannelType, SubscriptionType, TimeStamp

from .lease import Client

NEWS = SubscriptionType.DBE_VALUE | SubscriptionType.DBE_ALARM | SubscriptionType.DBE_LOG


@dataclass(frozen=True, eq=False)
class Disturbance:
    """What comes between a PV and its clients; the instrument itself notices nothing.

    Attributes:
        frozen: Clients are told the value of the beginning for ever.
        value: Told in place of the true one.
        delay: Of every answer [s of the wall clock].
        shift: Of the time stamps [s].
        severity: Told in place of the true one.
        refuses: No put is taken.
        completes: Puts are answered; if not, they are taken and never completed.
        lifted: Set when the disturbance is over.
    """

    frozen: bool = False
    value: float | None = None
    delay: float = 0.0
    shift: float = 0.0
    severity: AlarmSeverity | None = None
    refuses: bool = False
    completes: bool = True
    lifted: asyncio.Event = field(default_factory=asyncio.Event)

    def told(self, truth: dict[str, Any], held: dict[str, Any]) -> dict[str, Any]:
        """Return the data that a client is told.

        Args:
            truth: Of this moment.
            held: Of the moment in which the disturbance began.
        """
        told = held if self.frozen else truth
        if self.value is not None:
            many = isinstance(truth["value"], list | np.ndarray)
            told = told | {"value": [self.value] * len(truth["value"]) if many else self.value}
        if self.shift:
            stamp = told["timestamp"].timestamp + self.shift
            told = told | {"timestamp": TimeStamp.from_unix_timestamp(stamp)}
        return told


class Channel:
    """Mixed into each of caproto's PV types.

    Attributes:
        least_severity: Alarm that every value carries at least; None leaves it to the limits.
        disturbance: What stands between this PV and its clients.
    """

    least_severity: AlarmSeverity | None = None
    disturbance: Disturbance | None = None
    _held: dict[str, Any]

    async def disturb(self, disturbance: Disturbance | None) -> None:
        """Put a disturbance between this PV and its clients, or take it away."""
        self.disturbance, self._held = disturbance, dict(self._data)
        await self.publish(NEWS)

    async def verify_value(self, data):
        """Take what the instrument takes; a value that is no number is INVALID."""
        taken = await super().verify_value(data)
        if self.least_severity is not None:
            self.status, self.severity = AlarmStatus.STATE, self.least_severity
        if self.data_type in (ChannelType.DOUBLE, ChannelType.FLOAT) and np.isnan(data).any():
            self.status, self.severity = AlarmStatus.UDF, AlarmSeverity.INVALID_ALARM
        if taken is None and self.data_type == ChannelType.ENUM and not isinstance(data, str):
            return self.enum_strings[data]  # clients put numbers; a choice is kept by its name
        return taken

    async def read(self, data_type):
        if self.disturbance and self.disturbance.delay:
            await asyncio.sleep(self.disturbance.delay)
        return await super().read(data_type)

    async def _read(self, data_type):
        # every way to a client leads through here: a get, a monitor and its first update
        if (disturbance := self.disturbance) is None:
            return await super()._read(data_type)
        truth = self._data
        self._data = disturbance.told(truth, self._held)
        try:
            metadata, values = await super()._read(data_type)
        finally:
            self._data = truth
        severity = disturbance.severity
        if severity is None and disturbance.value is not None:
            severity = AlarmSeverity.INVALID_ALARM
        if severity is not None and hasattr(metadata, "severity"):
            metadata.status, metadata.severity = AlarmStatus.SOFT, severity
        return metadata, values

    async def auth_write(
        self, hostname, username, data, data_type, metadata, *, flags=0, user_address=None
    ):
        """Take the put of a client, unless a fault stands between or another client owns it.

        Raises:
            ValueError: When it refuses every put, or this one.
        """
        disturbance = self.disturbance
        if disturbance and disturbance.refuses:
            raise ValueError("a fault refuses every put; needs Fault none")
        client = Client(f"{username}@{hostname}", user_address)
        await self.group.admit(self, self._asked(data), client)
        status = await super().auth_write(
            hostname, username, data, data_type, metadata, flags=flags, user_address=user_address
        )
        if disturbance and not disturbance.completes:
            await disturbance.lifted.wait()
        return status

    def _asked(self, data) -> str:
        """Return what a client puts in the PV's own words, whatever type it came in."""
        asked = data[0] if len(data) else ""
        if isinstance(asked, bytes):
            asked = asked.decode(errors="replace")
        elif self.data_type == ChannelType.ENUM and 0 <= asked < len(self.enum_strings):
            asked = self.enum_strings[asked]
        return asked if isinstance(asked, str) else f"{asked:g}"
