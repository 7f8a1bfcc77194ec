"""A RunEngine whose documents are kept before anything else, and whom no callback can harm."""

from collections.abc import Callable
from typing import Any

from .engine import Engine
from .record.road import Road

MOMENT = 1.0  # s for callbacks to see the end of a plan before the prompt is back


class KeepingEngine(Engine):
    """Gives every document to the road; when that cannot keep one, the plan fails.

    Callbacks, wherever they are subscribed, get from there what this RunEngine emits, on threads of
    their own; fits are had by subscribing to the road itself.

    Args:
        road: Of the documents.
    """

    def __init__(self, road: Road, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._road = road

    def emit_sync(self, name, doc):
        self._road(name.name, doc, measured=True)

    def subscribe(self, func, name="all"):
        return self._road.subscribe(func, name, fits=False)

    def unsubscribe(self, token):
        self._road.unsubscribe(token)

    def _to_its_end(self, go: Callable[..., Any], *args, **kwargs) -> Any:
        try:
            return super()._to_its_end(go, *args, **kwargs)
        finally:
            self._road.settle(MOMENT)
