"""What runs, for eyes and for programs."""

import time
from dataclasses import asdict
from shlex import quote
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..queue.keys import GROUPS
from ..queue.service import client_environment
from ..settings import Settings
from . import supervisor
from .keys import catalogue_key
from .laboratory import Laboratory, LaboratoryError
from .ports import LOOPBACK
from .service import queue_ports, services

COLOURS = {"RUNNING": "green", "STARTING": "yellow", "STOPPING": "yellow"}  # others are red


def report(settings: Settings, laboratory: Laboratory) -> list[dict[str, Any]]:
    """Return what is known of every service.

    Raises:
        OSError: When the laboratory is not up.
    """
    ports = {
        item.name: [laboratory.ports[name] for name in item.ports]
        for item in services(settings, laboratory)
    }
    return [
        asdict(state)
        | {
            "addresses": [f"{LOOPBACK}:{port}" for port in ports.get(state.name, ())],
            "log": str(supervisor.log_of(settings, state.name)),
            "said": supervisor.last_line(settings, state.name),
        }
        for state in supervisor.states(settings)
    ]


def table_of(rows: list[dict[str, Any]]) -> Table:
    """Return the report for eyes."""
    table = Table(box=None, expand=True)
    for name in ("service", "state", "since", "pid", "address"):
        table.add_column(name, no_wrap=True)
    table.add_column("last log line", no_wrap=True, overflow="ellipsis", ratio=1)
    for row in rows:
        table.add_row(
            row["name"],
            Text(row["word"].lower(), style=COLOURS.get(row["word"], "red")),
            time.strftime("%d %b %H:%M", time.localtime(row["since"])),
            str(row["pid"] or ""),
            "\n".join(row["addresses"]),
            Text(row["said"]),
        )
    return table


def environment_lines(settings: Settings, laboratory: Laboratory, group: str = "") -> str:
    """Return what ``eval`` of a shell makes a client of this laboratory.

    Args:
        settings: Of it.
        laboratory: What runs.
        group: Of the queue's users; its key is among the lines then.

    Raises:
        LaboratoryError: When there is no such group, or no queue.
    """
    pairs = laboratory.environment(settings)
    if group:
        if group not in GROUPS or not laboratory.queue:
            raise LaboratoryError(
                f"status: group {group!r}; needs a queue, and one of: {', '.join(GROUPS)}"
            )
        pairs |= client_environment(settings, queue_ports(laboratory), group)
    return "\n".join(f"export {name}={quote(value)}" for name, value in pairs.items())


def web_page(settings: Settings, laboratory: Laboratory) -> str:
    """Return the address of the catalogue for a browser, key included."""
    return f"{laboratory.web}/ui/?api_key={catalogue_key(settings)}"


def how_to_connect(settings: Settings, laboratory: Laboratory, console: Console) -> None:
    """Tell a person where everything is."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
    for words in (
        ("instruments", f"{laboratory.prefix} at {laboratory.addresses}"),
        ("", "a queued plan has them; odmrlab up --no-queue leaves them to you")
        if laboratory.queue
        else ("", "odmrlab shell --connect"),
        ("catalogue", f'{laboratory.web}, databroker.catalog["{settings.catalogue_profile}"]'),
        ("", "odmrlab status --web, for a browser"),
        ("other clients", 'eval "$(odmrlab status --env)"'),
        *(
            [("queue", 'eval "$(odmrlab status --env --group operator)", then qserver')]
            * laboratory.queue
        ),
    ):
        table.add_row(*map(Text, words))
    console.print(table)
