"""Settings of the bench, put together: what a night does between two measurements."""

from collections.abc import Mapping
from typing import Any

import bluesky.plan_stubs as bps
from bluesky.utils import MsgGenerator

from .outages import RESTORED
from .plan import plan


@plan
def set_up(bench: Any, settings: Mapping[str, Any]) -> MsgGenerator[None]:
    """Put settings of the bench, all at once, and wait until every one holds.

    Args:
        bench: The instruments as attributes.
        settings: Value by attribute, such as ``{"rf.frequency": 1.2, "laser.shutter": "Open"}``.

    Raises:
        ValueError: On a name that is no setting of the bench, or on none at all.
        LimitError: On a value that the instrument cannot take.
    """
    known = [f"{name}.{attribute}" for name in RESTORED for attribute in RESTORED[name]]
    moves = []
    for name, value in settings.items():
        if name not in known:
            raise ValueError(f"set_up: {name}={value!r}; needs one of: {', '.join(known)}")
        device, attribute = name.split(".")
        signal = getattr(getattr(bench, device), attribute)
        signal.check_value(value)
        moves += [signal, value]
    if not moves:
        raise ValueError("set_up: settings={}; needs at least one")
    yield from bps.mv(*moves)
