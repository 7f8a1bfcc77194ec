"""The sole right to put to an instrument, held by a client for as long as it says that it lives."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import localtime, monotonic, strftime

GRACE = 0.1  # s; an IOC that was stopped itself finds the renewals of that time in its socket


@dataclass(frozen=True)
class Client:
    """Who puts, as the circuit tells; names are what the client says, the address is true.

    Attributes:
        name: user@host.
        address: Host and port of its end of the circuit.
    """

    name: str
    address: tuple[str, int] | None


class Lease:
    """Taken and renewed by putting a token, given back by putting none; it ends by time alone.

    The end of a circuit is not its end: a client that comes back puts its token from the new one.

    Args:
        lapsed: Called with the owner when nobody has renewed the lease in time.
    """

    def __init__(self, lapsed: Callable[[str], Awaitable[None]]):
        self.owner = ""
        self._lapsed = lapsed
        self._token, self._address, self._ends = "", None, 0.0
        self._watch: asyncio.Task | None = None

    def refuse_others(self, client: Client) -> None:
        """Refuse a put of anybody but the owner, if there is one.

        Raises:
            ValueError: Naming the owner.
        """
        if self.owner and client.address != self._address:
            raise ValueError(self._refusal())

    def _refusal(self) -> str:
        return f"owned by {self.owner}; needs its lease to end"

    def put(self, token: str, client: Client, time: float) -> None:
        """Take, renew or give back the lease.

        Args:
            token: What the owner alone puts; its first word, up to a dot, names the client's
                process. Empty to give the lease back.
            client: Who puts it.
            time: Until the lease ends [s of the wall clock].

        Raises:
            ValueError: When another client holds it.
        """
        if not token:
            self.refuse_others(client)
            self._end()
            return
        if token != self._token:
            if self.owner:
                raise ValueError(self._refusal())
            process, _, _ = token.partition(".")
            self.owner = f"{client.name} {process} since {strftime('%H:%M:%S', localtime())}"
            self._watch = asyncio.create_task(self._wait())
        self._token, self._address = token, client.address
        self._ends = monotonic() + time - GRACE

    def _end(self) -> None:
        if self._watch:
            self._watch.cancel()
        self.owner, self._token, self._address, self._watch = "", "", None, None

    async def _wait(self) -> None:
        while (left := self._ends - monotonic()) > 0:
            await asyncio.sleep(left)
            if monotonic() > self._ends:
                await asyncio.sleep(GRACE)
        owner, self._watch = self.owner, None
        await self._lapsed(owner)
        self._end()
