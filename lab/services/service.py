"""The services of a laboratory, as commands in the foreground."""

import sys
from dataclasses import dataclass, field, fields

from ..queue.redis import redis_command
from ..queue.service import Ports, door_command, manager_command, redis_folder
from ..record.shipper import ENVIRONMENT
from ..settings import Settings
from .laboratory import Laboratory
from .ports import LOOPBACK

PYTHON = [sys.executable, "-m"]


@dataclass(frozen=True)
class Service:
    """A process that is to run as long as its laboratory.

    Attributes:
        name: Of its log, too.
        command: In the foreground; ends in order on SIGTERM.
        ports: Names of the ports on which it listens.
        environment: What it needs besides that of every service.
        stage: Services start in this order, and end in the reverse.
        grace: For its orderly end [s].
    """

    name: str
    command: list[str]
    ports: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    stage: int = 1
    grace: float = 10.0


def port_names(laboratory: Laboratory) -> list[str]:
    """Return the names of all ports that a laboratory needs."""
    queued = [item.name for item in fields(Ports)] if laboratory.queue else []
    return [*laboratory.iocs, "catalogue", *queued, *(["http"] if laboratory.http else [])]


def services(settings: Settings, laboratory: Laboratory) -> list[Service]:
    """Return what a laboratory runs."""
    found = [*iocs(laboratory), shipper(), catalogue(laboratory)]
    found += queue(settings, laboratory) if laboratory.queue else []
    return found + ([http(laboratory)] if laboratory.http else [])


def iocs(laboratory: Laboratory) -> list[Service]:
    """Return the processes of the instruments."""
    options = ["--prefix", laboratory.prefix, "--speed", f"{laboratory.speed!r}", "--tethered"]
    for name in ("sample", "bench", "seed"):
        if (value := getattr(laboratory, name)) is not None:
            options += [f"--{name}", str(value)]
    for name in ("sealed", "faults"):
        options += [f"--{name}"] if getattr(laboratory, name) else []

    def served(name: str) -> Service:
        which = [] if name == "ioc" else [name]
        port = ["--port", str(laboratory.ports[name])]
        return Service(
            name,
            [*PYTHON, "odmrlab.ioc", *which, *options, *port],
            ports=(name,),
            environment={"EPICS_CAS_AUTO_BEACON_ADDR_LIST": "NO"},
        )

    return [served(name) for name in laboratory.iocs]


def shipper() -> Service:
    """Return what brings runs from the journal into the catalogue, and hints onto the bus."""
    command = [*PYTHON, "odmrlab.lab.record.shipper"]
    return Service("shipper", command, environment=ENVIRONMENT, stage=2)


def catalogue(laboratory: Laboratory) -> Service:
    """Return what serves the catalogue to Tiled's clients and web browsers."""
    port = str(laboratory.ports["catalogue"])
    command = [*PYTHON, "odmrlab.lab.services.catalogue_server", LOOPBACK, port]
    return Service("catalogue", command, ports=("catalogue",), stage=2)


def queue(settings: Settings, laboratory: Laboratory) -> list[Service]:
    """Return what takes and runs queued plans."""
    ports = queue_ports(laboratory)
    groups = ("observer", "operator", "expert")
    return [
        Service("redis", redis_command(ports.redis, redis_folder(settings)), ports=("redis",)),
        # the manager lets the worker abort its plan and leave the bench safe
        Service(
            "manager", manager_command(ports), ports=("manager", "console"), stage=3, grace=15.0
        ),
        Service("door", door_command(ports), ports=groups, stage=4),
    ]


def queue_ports(laboratory: Laboratory) -> Ports:
    """Return where the queue listens."""
    return Ports(**{item.name: laboratory.ports[item.name] for item in fields(Ports)})


def http(laboratory: Laboratory) -> Service:
    """Return what offers the queue to programs that speak HTTP."""
    port = str(laboratory.ports["http"])
    command = [*PYTHON, "odmrlab.lab.services.http_server", LOOPBACK, port]
    return Service("http", command, ports=("http",), stage=5)
