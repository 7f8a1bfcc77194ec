"""One reading of the bench as it stands."""

from typing import Any

import bluesky.plans as bp
from bluesky.protocols import Readable
from bluesky.utils import MsgGenerator

from .plan import plan


@plan
def one_point(lockin: Readable, md: dict[str, Any] | None = None) -> MsgGenerator[str]:
    """Read the lock-in once, after it has settled, with everything as it is.

    Args:
        lockin: To be read.
        md: Metadata for the run.
    """
    _md = {"plan_name": "one_point", "technique": "one_point"}
    return (yield from bp.count([lockin], md=_md | (md or {})))
