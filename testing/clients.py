"""What Channel Access clients of this process must be told about a laboratory, and its end."""

import os
from collections.abc import Mapping

from .ports import LOOPBACK


def tell(variables: Mapping[str, str]) -> None:
    """Set environment variables, for the rest of this process.

    They are never taken away: caproto's thread reads the environment whenever it searches, and
    dies of a variable that vanishes meanwhile; then nothing is ever found again.
    """
    os.environ.update(variables)


def of_this_host() -> list[str]:
    """Return those addresses of Channel Access servers that cannot belong to a real laboratory."""
    listed = os.environ.get("EPICS_CA_ADDR_LIST", "").split()
    return [address for address in listed if address.startswith((LOOPBACK, "localhost"))]


def let_go(prefix: str) -> None:
    """Close every channel of a laboratory that is to end; caproto would look for it for ever."""
    for pv in channels(prefix):
        for subscription in list(pv.subscriptions.values()):
            subscription.clear()
        pv.go_idle()


def forget(prefix: str) -> None:
    """Look no longer for what was lost before the end of a laboratory."""
    for pv in channels(prefix):
        pv.context.broadcaster.cancel(pv.name)


def channels(prefix: str) -> list:
    """Return caproto's channels of a laboratory; none if another client is beneath ophyd."""
    import ophyd

    if ophyd.get_cl().name != "caproto":
        return []
    from caproto.threading.pyepics_compat import PV

    pvs = PV.default_context().pvs
    return [pv for (name, _), pv in list(pvs.items()) if name.startswith(prefix)]
