"""Other Channel Access servers with the same PVs: ``python servers.py softioc|caproto PREFIX PORT``.

``softioc`` is EPICS base itself; ``caproto`` is a server of stock PVs without an instrument behind.
"""

import asyncio
import os
import sys
import threading
from collections.abc import Iterator

from caproto import ChannelDouble, ChannelEnum, ChannelInteger, ChannelType

from odmrlab.ioc.physics import Sample
from odmrlab.ioc.rack import rack

LOOPBACK = "127.0.0.1"


def scalars() -> Iterator[tuple[str, object]]:
    """Give name and PV of every number and choice of the instruments, the lock-in's first."""
    for name, pv in reversed(rack("", Sample(), sealed=True).items()):
        numeric = pv.data_type in (ChannelType.DOUBLE, ChannelType.LONG, ChannelType.ENUM)
        if numeric and pv.max_length == 1:
            yield name, pv


def serve_epics_base(prefix: str) -> None:
    """Serve records of EPICS base until standard input ends."""
    from softioc import asyncio_dispatcher, builder, softioc

    builder.SetDeviceName(prefix.removesuffix(":"))
    for name, pv in scalars():
        if pv.data_type == ChannelType.ENUM:
            choices = pv.enum_strings
            builder.mbbOut(name, *choices, initial_value=choices.index(pv.value))
        elif pv.data_type == ChannelType.LONG:
            builder.longOut(name, initial_value=pv.value)
        else:
            builder.aOut(name, initial_value=0.0, EGU=pv.units)
    builder.LoadDatabase()
    softioc.iocInit(asyncio_dispatcher.AsyncioDispatcher())
    print("ready", flush=True)
    sys.stdin.read()
    os._exit(0)  # its own threads know no end


def serve_stock_caproto(prefix: str, port: int) -> None:
    """Serve plain caproto channels until standard input ends."""
    from caproto.asyncio.server import Context

    def channel(pv):
        if pv.data_type == ChannelType.ENUM:
            return ChannelEnum(value=pv.value, enum_strings=pv.enum_strings)
        kind = ChannelInteger if pv.data_type == ChannelType.LONG else ChannelDouble
        return kind(value=pv.value if kind is ChannelInteger else 0.0)

    async def ready(_):
        print("ready", flush=True)

    async def run():
        context = Context({prefix + name: channel(pv) for name, pv in scalars()}, [LOOPBACK])
        context.ca_server_port = port
        task = asyncio.ensure_future(context.run(startup_hook=ready))
        loop = asyncio.get_running_loop()

        def wait():
            sys.stdin.read()
            loop.call_soon_threadsafe(task.cancel)

        threading.Thread(target=wait, daemon=True).start()
        await task

    asyncio.run(run())


if __name__ == "__main__":
    kind, prefix, port = sys.argv[1:]
    os.environ |= {"EPICS_CAS_SERVER_PORT": port, "EPICS_CA_SERVER_PORT": port}
    os.environ |= {"EPICS_CAS_INTF_ADDR_LIST": LOOPBACK, "EPICS_CAS_BEACON_ADDR_LIST": LOOPBACK}
    os.environ["EPICS_CAS_AUTO_BEACON_ADDR_LIST"] = "NO"
    if kind == "softioc":
        serve_epics_base(prefix)
    else:
        serve_stock_caproto(prefix, int(port))
