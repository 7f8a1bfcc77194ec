"""Which servers have a PV: asked of each address of Channel Access, so that two are noticed."""

import logging
import select
import socket
import time
from collections.abc import Sequence

import caproto

SETTLE = 0.2  # s that a second server of the same PV has for its answer
AGAIN = 0.5  # s between two requests; UDP may lose one

logger = logging.getLogger("caproto")


def search(names: Sequence[str], addresses: str, timeout: float) -> dict[str, set[str]]:
    """Return the servers of every PV, as host:port.

    Args:
        names: Of the PVs.
        addresses: As in EPICS_CA_ADDR_LIST.
        timeout: Until all of them have answered [s].

    Raises:
        OSError: When an address cannot be sent to.
    """
    found: dict[str, set[str]] = {name: set() for name in names}
    deadline, again, broadcaster = (
        time.monotonic() + timeout,
        0.0,
        caproto.Broadcaster(caproto.CLIENT),
    )
    requests = [
        caproto.SearchRequest(name, cid, caproto.DEFAULT_PROTOCOL_VERSION)
        for cid, name in enumerate(names)
    ]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("", 0))
        broadcaster.client_address = udp.getsockname()
        while (now := time.monotonic()) < deadline:
            if now > again:
                version = caproto.VersionRequest(0, caproto.DEFAULT_PROTOCOL_VERSION)
                datagram = b"".join(bytes(part) for part in (version, *requests))
                for address in split(addresses):
                    udp.sendto(datagram, address)
                again = now + AGAIN
            if select.select([udp], [], [], min(AGAIN, deadline - now))[0]:
                data, sender = udp.recvfrom(caproto.MAX_UDP_RECV)
                for answer in broadcaster.recv(data, sender):
                    if isinstance(answer, caproto.SearchResponse):
                        host, port = caproto.extract_address(answer)
                        found[names[answer.cid]].add(f"{host}:{port}")
                if all(found.values()):
                    deadline = min(deadline, time.monotonic() + SETTLE)
    return found


def split(addresses: str) -> list[tuple[str, int]]:
    """Return hosts and ports of a list of addresses as in EPICS_CA_ADDR_LIST."""
    pairs = (word.partition(":") for word in addresses.split())
    return [(host, int(port or 5064)) for host, _, port in pairs]
