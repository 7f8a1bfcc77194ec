"""A catalogue that is up to date whenever it is asked."""

from collections.abc import Callable, Iterator
from typing import Any


class Current:
    """Asks a catalogue, after everything has been brought into it.

    Args:
        client: Of the catalogue.
        bring: Brings what is not there yet.
    """

    def __init__(self, client: Any, bring: Callable[[], None]):
        self._client, self._bring = client, bring

    def __getattr__(self, name: str) -> Any:
        self._bring()
        return getattr(self._client, name)

    def __getitem__(self, key: int | str) -> Any:
        self._bring()
        return self._client[key]

    def __iter__(self) -> Iterator[str]:
        self._bring()
        return iter(self._client)

    def __len__(self) -> int:
        self._bring()
        return len(self._client)
