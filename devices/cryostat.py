"""Cryostat."""

from ophyd import Component as Cpt
from ophyd import Kind
from ophyd.status import Status

from .instrument import Instrument
from .positioner import Positioner
from .signals import Choice, Readback


class Cryostat(Instrument):
    """Cryostat whose temperature is moved by ``cryostat`` or, the same, ``cryostat.temperature``.

    Attributes:
        temperature: Set point [K]; setting it is done when the temperature is there and stable.
        temperature_readback: At the sample [K].
        helium_level: Of the bath [%].
        fill: No or Yes, whether helium is filled.
    """

    temperature = Cpt(
        Positioner,
        "Temperature",
        readback="temperature_readback",
        arrived=("stable", 1),
        tolerance=1e-2,
        patience=60.0,
        kind=Kind.normal,
    )
    temperature_readback = Cpt(Readback, "TemperatureReadback", kind=Kind.hinted)
    stable = Cpt(Readback, "Stable", kind=Kind.normal)
    helium_level = Cpt(Readback, "HeliumLevel", kind=Kind.normal)
    fill = Cpt(Choice, "Fill", kind=Kind.omitted)

    def check_value(self, temperature: float) -> None:
        """Raise on a temperature [K] that cannot be reached."""
        self.temperature.check_value(temperature)

    def set(self, temperature: float) -> Status:
        """Warm or cool to a temperature [K]; done when it is there and stable."""
        return self.temperature.set(temperature)

    def stop(self, *, success: bool = False) -> None:
        """Make the temperature of this moment the set point; see ``Magnet.stop``."""
        if success:
            self.temperature.abandon()
        super().stop(success=success)
        if self.temperature.connected:  # a lost cryostat has failed its move already
            self.temperature.put(self.temperature_readback.get(), force=True, wait=False)
