"""The numbers of the last fit."""

from typing import Any

from event_model import DocumentRouter


class Fits(DocumentRouter):
    """Keeps what the last run of a fit says; a consumer of documents."""

    def __init__(self):
        super().__init__()
        self._run = self._descriptor = ""
        self._numbers: dict[str, Any] = {}
        self._reason = "no run that asks for a fit has ended"

    def start(self, doc):
        if doc.get("technique") == "fit":
            self._run, self._numbers = doc["uid"], {}

    def descriptor(self, doc):
        if doc["run_start"] == self._run:
            self._descriptor = doc["uid"]

    def event(self, doc):
        if doc["descriptor"] == self._descriptor:
            self._numbers = doc["data"]

    def stop(self, doc):
        if doc["run_start"] == self._run:
            self._reason = doc.get("reason", "")

    def last(self) -> dict[str, Any]:
        """Return the numbers of the last fit, by name.

        Raises:
            LookupError: When there are none, and why.
        """
        if not self._numbers:
            raise LookupError(f"odmr_lab: no fit; {self._reason}")
        return self._numbers
