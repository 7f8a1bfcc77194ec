"""The instruments as bluesky sees them: names, units, and when a reading is ready."""

from . import layer  # first: it chooses the Channel Access client before ophyd is used  # isort: skip
from .connection import NotConnectedError, wait_for_all
from .cryostat import Cryostat
from .laser import Laser
from .lease import Lease, OwnedError
from .lockin import Lockin
from .magnet import Magnet
from .rf import Rf
from .signals import DisconnectedError, LimitError, MoveError, RefusedError

__all__ = [
    "Cryostat",
    "DisconnectedError",
    "Laser",
    "Lease",
    "LimitError",
    "Lockin",
    "Magnet",
    "MoveError",
    "NotConnectedError",
    "OwnedError",
    "RefusedError",
    "Rf",
    "layer",
    "wait_for_all",
]
