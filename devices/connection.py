"""Whether every PV answers."""

import os
import time
from collections.abc import Iterable

from ophyd import Device

SHOWN = 4  # names in a message; the rest is counted


class NotConnectedError(TimeoutError):
    """PVs that do not answer."""


def wait_for_all(devices: Iterable[Device], timeout: float = 4.0) -> None:
    """Wait until every PV of every device answers.

    Args:
        devices: Whose PVs are waited for.
        timeout: For all of them together [s].

    Raises:
        NotConnectedError: Naming the PVs that do not answer, and where they were looked for.
    """
    signals = [walk.item for device in devices for walk in device.walk_signals()]
    deadline = time.monotonic() + timeout
    for signal in signals:
        try:
            signal.wait_for_connection(timeout=max(deadline - time.monotonic(), 0.01))
        except TimeoutError:
            continue
    silent = [signal.pvname for signal in signals if not signal.connected]
    if silent:
        more = f" and {len(silent) - SHOWN} more" if len(silent) > SHOWN else ""
        where = os.environ.get("EPICS_CA_ADDR_LIST", "") or "the broadcast address"
        raise NotConnectedError(
            f"devices: no answer from {', '.join(silent[:SHOWN])}{more} at {where}; "
            "needs running IOCs, and their host:port in EPICS_CA_ADDR_LIST, 127.0.0.1 on this computer"
        )
