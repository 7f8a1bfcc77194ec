"""A Channel Access server that says no to a second one on its port, and answers a refused put."""

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from functools import partial

from caproto import ChannelData, ErrorResponse, WriteNotifyRequest
from caproto.asyncio import server

from .instrument import Instrument

LOOPBACK = "127.0.0.1"
END_TIME = 3.0  # s for everything to end in order; there is nothing to save
AWAY = 1.0  # s of the wall clock that an instrument is away after its circuits were dropped


class PortTakenError(OSError):
    """Another process listens on the port already."""


class Circuit(server.VirtualCircuit):
    """Answers a refused put as EPICS base does: with a write completion that carries the failure.

    caproto's own answer, an error message, leaves its client waiting for ever.
    """

    async def send(self, *commands):
        await super().send(*[await self._completed(command) for command in commands])

    async def _completed(self, command):
        if not isinstance(command, ErrorResponse):
            return command
        request = command.original_request  # the header of the put: its channel, its number
        channel = self.circuit.channels_sid.get(request.parameter1)
        pv = channel and self.context.pvdb.get(channel.name)
        if isinstance(group := getattr(pv, "group", None), Instrument):
            await group.refused(pv, reason(command.error_message))
        if channel is None or request.command != WriteNotifyRequest.ID:
            return command
        return channel.write(ioid=request.parameter2, status=command.status, data_count=1)


def reason(message: bytes) -> str:
    """Return what was wrong, out of caproto's "Python exception: <type> <what was wrong>"."""
    return bytes(message).rstrip(b"\0").decode(errors="replace").split(" ", 3)[-1]


class Server(server.Context):
    """Serves PVs on exactly one TCP and UDP port of one interface."""

    CircuitClass = Circuit

    def __init__(self, pvdb: dict[str, ChannelData], port: int, interface: str = LOOPBACK):
        super().__init__(pvdb, [interface])
        self.ca_server_port = port
        self._away: set[Instrument] = set()
        for group in {getattr(pv, "group", None) for pv in pvdb.values()}:
            if isinstance(group, Instrument):
                group.drop_circuits = partial(self.drop, group)

    def __getitem__(self, pvname: str) -> ChannelData:
        """Return a PV.

        Raises:
            KeyError: When there is none, or its instrument is away.
        """
        pv = super().__getitem__(pvname)
        if getattr(pv, "group", None) in self._away:
            raise KeyError(pvname)
        return pv

    async def drop(self, instrument: Instrument) -> None:
        """End every circuit with a channel of an instrument, and be away for a moment."""
        mine = [
            circuit
            for circuit in self.circuits
            if any(
                getattr(self.pvdb.get(channel.name), "group", None) is instrument
                for channel in circuit.circuit.channels_sid.values()
            )
        ]
        self._away.add(instrument)
        asyncio.get_running_loop().call_later(AWAY, self._away.discard, instrument)
        for circuit in mine:
            circuit.client.close()

    async def _bind_tcp_sockets_with_consistent_port_number(self, make_socket):
        # caproto would take a random port instead, where no client looks
        (interface,) = self.interfaces
        try:
            sockets = {interface: await make_socket(interface, self.ca_server_port)}
        except OSError as error:
            where = f"{interface}:{self.ca_server_port}"
            raise PortTakenError(
                f"ioc: cannot listen on {where} ({error.strerror}); needs a free port, see --port"
            ) from error
        return self.ca_server_port, sockets


class Brief(logging.Filter):
    """Keeps a refused put, which is the client's mistake, to one line of the log."""

    def filter(self, record):
        if record.msg.startswith("Invalid write request"):
            record.msg, record.args = "refused a put: %s", (record.exc_info[1],)
            record.exc_info = None
        return True


async def serve(
    pvdb: dict[str, ChannelData],
    port: int,
    interface: str = LOOPBACK,
    tethered: bool = False,
    beside: Awaitable | None = None,
) -> None:
    """Serve until SIGINT, SIGTERM or SIGHUP; when tethered, also until standard input ends.

    Args:
        pvdb: The PVs by name.
        port: TCP and UDP.
        interface: Address to listen on.
        tethered: Whether this is a child process that ends with its parent.
        beside: To be run meanwhile.

    Raises:
        PortTakenError: When the port is not free.
    """
    logging.getLogger("caproto.circ").addFilter(Brief())
    task = asyncio.ensure_future(Server(pvdb, port, interface).run(startup_hook=_ready))
    loop = asyncio.get_running_loop()

    def end() -> None:
        task.cancel()
        # a task that swallows its cancellation, as wait_for in Python 3.11 may, never ends
        loop.call_later(END_TIME, os._exit, 0)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, end)
    if tethered:
        # the parent holds the other end, so even when it is killed nothing is left running
        wait = threading.Thread(target=_end_of_input, args=(loop, end), daemon=True)
        wait.start()
    companion = asyncio.ensure_future(beside) if beside else None
    try:
        await task
    finally:  # whatever has ended it: what does not serve must not stay
        loop.call_later(END_TIME, os._exit, 1)
    if companion:
        companion.cancel()


def _end_of_input(loop: asyncio.AbstractEventLoop, end: Callable[[], None]) -> None:
    # not through a buffer, whose lock would be missed when a signal ends this process before
    while os.read(sys.stdin.fileno(), 4096):
        pass
    loop.call_soon_threadsafe(end)


async def _ready(async_lib) -> None:
    print("ready", flush=True)
