"""What every instrument offers besides its own PVs."""

from ophyd import Component as Cpt
from ophyd import Device, Kind

from .signals import Readback


class Instrument(Device):
    """An instrument behind Channel Access.

    Attributes:
        boot_id: Of its IOC; another one means that it has lost its state.
        message: Why its IOC refused the last put.
    """

    boot_id = Cpt(Readback, "BootId", kind=Kind.config)
    message = Cpt(Readback, "Message", string=True, kind=Kind.omitted)
