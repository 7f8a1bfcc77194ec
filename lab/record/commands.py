"""The commands ``odmrlab journal``: what is kept, whether the catalogue has it, and again."""

import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from ..settings import Settings, writable_folder
from .inventory import Journalled, inventory, where_now
from .journal import SHIPPED, first_line, read
from .profile import METADATA, CatalogueError
from .shipper import PATIENCE

journal = typer.Typer(no_args_is_help=True, help=__doc__)


@journal.callback()
def quietly() -> None:
    """What is kept, whether the catalogue has it, and again."""
    os.environ.update(PATIENCE)
    # what a person needs to know is printed; the rest, tracebacks too, is for a log
    logging.getLogger().addHandler(logging.NullHandler())


Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@journal.command()
def status() -> None:
    """List the runs of the journal: state, events, size, and whether the catalogue has them."""
    settings = Settings()
    table = Table(box=None)
    table.add_column("run", no_wrap=True, min_width=36)  # whole, also in a pipe
    for column in ("state", "events", "size [kB]", "catalogue", "plan"):
        table.add_column(column)
    table.add_column("began", no_wrap=True)
    runs = list(inventory(settings.journal))
    waiting = [kept for kept in runs if kept.state != SHIPPED]
    with reading(settings) if waiting else nullcontext() as client:
        for kept in runs:
            # what was shipped was compared with the catalogue row by row; `verify` does so again
            there = "yes" if kept.state == SHIPPED else presence(client, kept)
            size = f"{kept.size / 1e3:.1f}"
            what = kept.start.get("plan_name") or kept.start.get("technique") or ""
            began = f"{datetime.fromtimestamp(kept.start.get('time', 0)):%d %b %H:%M}"
            table.add_row(kept.run, kept.state, str(kept.events), size, there, what, began)
    console = Console()
    console.print(table if table.row_count else f"no runs in {settings.journal}")


@journal.command()
def verify() -> None:
    """Compare every run with the catalogue, row by row; exit status 1 when something differs."""
    settings, console = Settings(), Console()
    runs = [kept for kept in inventory(settings.journal) if kept.state != "running"]
    bad = 0
    with reading(settings) as client:
        for kept in track(runs, "comparing", console=console, transient=True):
            if wrong := wrongs(client, kept):
                bad += 1
                console.print(f"{kept.run}: {wrong[0]}", highlight=False, soft_wrap=True)
                for more in wrong[1:]:
                    console.print(f"  {more}", highlight=False, soft_wrap=True)
    console.print(f"{len(runs) - bad} of {len(runs)} runs are in the catalogue, row by row")
    raise typer.Exit(bool(bad))


@journal.command()
def replay(
    timeout: Annotated[float, typer.Option(help="For all of it [s].")] = 3600.0,
) -> None:
    """Bring every run into the catalogue again; what is whole there stays as it is."""
    settings, console = Settings(), Console()
    from .replay import bring_again, put_back  # late: seconds

    number = put_back(writable_folder(settings.journal, "journal"))
    with console.status(f"odmrlab: {number} runs go into the catalogue"):
        bring_again(settings, time.monotonic() + timeout)
    left = [kept for kept in inventory(settings.journal) if kept.state == "quarantine"]
    for kept in left:
        reason = kept.path.with_name(f"{kept.path.name}.reason").read_text().splitlines()[0]
        console.print(f"{kept.run}: {reason}", highlight=False, soft_wrap=True)
    console.print(f"{number} runs replayed, {len(left)} of them in quarantine")
    raise typer.Exit(bool(left))


@journal.command()
def prune(yes: Yes = False) -> None:
    """Delete the journals of runs that are in the catalogue, row by row."""
    settings, console = Settings(), Console()
    shipped = [kept for kept in inventory(settings.journal) if kept.state == "shipped"]
    with reading(settings) as client:
        safe = [kept.path for kept in track(shipped, "comparing") if not wrongs(client, kept)]
    size = sum(path.stat().st_size for path in safe) / 1e6
    console.print(f"{len(safe)} of {len(shipped)} shipped runs are verified, {size:.1f} MB")
    if safe and not yes:
        typer.confirm("Delete their journals? The catalogue is their only copy then", abort=True)
    for path in safe:
        path.unlink()
    if safe:
        console.print(f"{len(safe)} journals deleted")


@contextmanager
def reading(settings: Settings) -> Iterator[Any]:
    """Give a client of the catalogue, or None when there is none yet.

    Raises:
        CatalogueError: When it cannot be read.
    """
    if not (settings.catalogue / METADATA).exists():
        yield None
        return
    # late: Tiled takes seconds
    import adbc_driver_manager as adbc
    import httpx
    from sqlalchemy.exc import SQLAlchemyError
    from tiled.client.utils import ClientError

    from . import catalogue

    try:
        client = catalogue.connect(settings)
        with client.context:
            yield client
    except (OSError, SQLAlchemyError, ClientError, httpx.HTTPError, adbc.Error) as error:
        raise CatalogueError(
            f"catalogue: {settings.catalogue} cannot be read ({first_line(error)}); "
            "needs that folder as it was, or out of the way and 'odmrlab journal replay'"
        ) from error


def found(client: Any, kept: Journalled) -> Any:
    """Return the run in the catalogue, or None."""
    from .catalogue import find_run

    return None if client is None else find_run(client, kept.run)


def presence(client: Any, kept: Journalled) -> str:
    """Say whether the catalogue has a run: no, running, or yes, to its end."""
    if (run := found(client, kept)) is None:
        return "no"
    return "yes" if "stop" in run.metadata else "running"


def wrongs(client: Any, kept: Journalled, at_most: int = 5) -> list[str]:
    """Say what is wrong with a run: damage of its journal, or rows that differ."""
    if (run := found(client, kept)) is None:
        return [*kept.damage, "not in the catalogue"]
    from .rows import differences

    if kept.damage:
        return kept.damage
    wrong = []
    for difference in differences(run, read(where_now(kept.path))):
        if len(wrong) == at_most:
            return [*wrong, "and more"]
        wrong.append(difference)
    return wrong
