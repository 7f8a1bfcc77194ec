"""Start-up module of the queue's worker: `lab.startup`, and a record of what becomes of plans."""

import os
from typing import Any

import ophyd
from bluesky.utils import MsgGenerator, RequestAbort, RequestStop

if ophyd.get_cl().name == "dummy":  # loaded before the fork, which no client would outlive
    ophyd.set_cl(os.environ.get("OPHYD_CONTROL_LAYER", "caproto"))

# the manager's, from which this was forked; the shipper, for one, is not to have it
os.environ.pop("QSERVER_ZMQ_PRIVATE_KEY_FOR_SERVER", None)

from .. import startup
from ..startup import *
from .described import described_all
from .ledger import COMPLETED, HALTED, STOPPED, Ledger, Presence
from .service import folder


class Attendant:
    """Notes the beginning, the runs and the end of every plan of a RunEngine.

    Args:
        ledger: Where.
    """

    def __init__(self, ledger: Ledger):
        self._ledger = ledger

    def __call__(self, plan: MsgGenerator) -> MsgGenerator[Any]:
        """Run a plan; a preprocessor."""
        self._ledger.begin()
        try:
            result = yield from plan
        except RequestStop:
            self._ledger.end(STOPPED)
            raise
        except RequestAbort as abort:
            self._ledger.end("aborted", str(abort))
            raise
        except GeneratorExit:
            self._ledger.end(HALTED)
            raise
        except Exception as error:
            self._ledger.end("failed", f"{type(error).__name__}: {error}")
            raise
        self._ledger.end(COMPLETED)
        return result

    def document(self, name: str, doc: dict[str, Any]) -> None:
        """Take a document of the RunEngine."""
        if name == "start":
            self._ledger.run(doc["uid"], doc["scan_id"])


presence = Presence(folder(startup.settings))
presence.take()
ledger = Ledger(folder(startup.settings))
ledger.open()
attendant = Attendant(ledger)
startup.RE.preprocessors.append(attendant)
startup.RE.subscribe(attendant.document, "start")
globals().update(described_all(vars(startup)))
