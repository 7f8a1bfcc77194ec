"""What every instrument offers besides its own PVs."""

import threading

from ophyd import Component as Cpt
from ophyd import Device, Kind

from .signals import Choice, Readback, Setting


class Token(Choice):
    """A text that is free to choose.

    Attributes:
        back: Set whenever the PV is there (again).
    """

    def __init__(self, *args, **kwargs):
        self.back = threading.Event()
        super().__init__(*args, **kwargs)

    def _pv_connected(self, pvname, conn, pv):
        super()._pv_connected(pvname, conn, pv)
        if conn:
            self.back.set()

    def check_value(self, value) -> None:
        """Take every text."""


class Instrument(Device):
    """An instrument behind Channel Access.

    Attributes:
        boot_id: Of its IOC; another one means that it has lost its state.
        heartbeat: Counts twice a second while its IOC lives.
        lease: Whoever holds it alone may put; see ``Lease``.
        message: Why its IOC refused the last put, or what has happened.
    """

    boot_id = Cpt(Readback, "BootId", kind=Kind.config)
    heartbeat = Cpt(Readback, "Heartbeat", kind=Kind.omitted)
    lease = Cpt(Token, "Lease", kind=Kind.omitted)
    lease_owner = Cpt(Readback, "LeaseOwner", string=True, kind=Kind.omitted)
    lease_time = Cpt(Setting, "LeaseTime", kind=Kind.omitted)
    message = Cpt(Readback, "Message", string=True, kind=Kind.omitted)
