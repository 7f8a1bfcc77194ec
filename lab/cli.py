"""The command ``odmrlab``."""

import os
import sys
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console

from .campaign.commands import app as campaign
from .options import SampleFile, Sealed, Speed, start
from .record.commands import journal
from .record.frame import JournalError
from .record.runfile import UnkeptError
from .services.commands import app as services
from .services.found import whose_instruments
from .services.laboratory import LaboratoryError
from .settings import Settings, UnwritableError
from .twin import Twin, TwinError

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=__doc__,
)
app.add_typer(campaign)
app.add_typer(journal, name="journal")
app.add_typer(services)


def main() -> None:
    """Run the command line; a person's mistake gives one sentence and exit status 2."""
    try:
        app()
    except tuple(mistakes()) as error:
        # bluesky wraps what a device said; the device's own words are the cause
        cause = error.__cause__ if type(error).__name__ == "FailedStatus" else None
        print(f"odmrlab: {cause or error}", file=sys.stderr)
        if type(error).__name__ == "OwnedError" and (owner := whose_instruments(Settings())):
            print(f"odmrlab: {owner}", file=sys.stderr)
        sys.exit(2)


def mistakes() -> list[type[Exception]]:
    """Return the errors that a person can mend; everything else is ours, with its traceback."""
    found = [ValidationError, UnwritableError, TwinError]
    found += [TimeoutError, PermissionError, JournalError, UnkeptError, LaboratoryError]
    # these belong to modules that are loaded only when a command needs them
    late = {
        "odmrlab.ioc.sample_file": ("SampleFileError",),
        "odmrlab.devices": ("NotConnectedError", "OwnedError", "RefusedError", "MoveError"),
        "odmrlab.lab.record.profile": ("CatalogueError",),
        "odmrlab.lab.campaign.scan": ("MeasurementError",),
        "odmrlab.lab.record.catalogue": ("OutageError",),
        "odmrlab.lab.record.export": ("ExportError",),
        "odmrlab.plans": ("InterlockError", "OutageError", "ResumeError"),
        "odmrlab.lab.record.shipper": ("ShipperError",),
        "bluesky.utils": ("FailedStatus",),
        "ophyd.utils": ("DisconnectedError", "LimitError"),
    }
    for module, names in late.items():
        if module in sys.modules:
            found += [getattr(sys.modules[module], name) for name in names]
    return found


@app.command()
def shell(
    connect: Annotated[
        bool,
        typer.Option(
            "--connect",
            help="Use the services of the laboratory, or the IOCs at EPICS_CA_ADDR_LIST.",
        ),
    ] = False,
    speed: Speed = 100.0,
    sample: SampleFile = None,
    seed: Annotated[int | None, typer.Option(help="Of the twin's noise.")] = None,
    sealed: Sealed = False,
) -> None:
    """Open IPython with RE, instruments, plans and catalogue ready, on a twin of its own."""
    settings = start(connect)
    place = f"a twin of the laboratory, {speed:g} times faster than the clock"
    with ExitStack() as stack:
        with Console().status("odmrlab: starting, some seconds"):
            if connect:
                place = f"instruments at {os.environ.get('EPICS_CA_ADDR_LIST', 'any address')}"
            else:
                twin = Twin(settings.prefix, settings.logs, speed, sample, seed, sealed)
                stack.enter_context(twin)
            from .shell import run
        run(place)


@app.command()
def resume(
    uid: Annotated[str, typer.Argument(help="Of the run, or its first 5 or more characters.")],
) -> None:
    """Measure what a run lacks that ended too early, on the instruments of the laboratory.

    They are put back to the settings of the run, and its last point is proved. The rest is a run of its
    own, linked to the first, fitted and exported together with it.
    """
    settings = start(connect=True)
    with Console().status("odmrlab: loading"):
        from .going_on import go_on
    go_on(settings, uid)


class Format(StrEnum):
    """Of an exported run."""

    csv = "csv"
    nexus = "nexus"


@app.command()
def export(
    uid: Annotated[str, typer.Argument(help="Of the run, or its first 5 or more characters.")],
    format: Annotated[Format, typer.Option(help="CSV, or NeXus in HDF5.")] = Format.csv,
    out: Annotated[
        Path | None, typer.Option(help="File or folder (default: UID.csv or UID.nxs here).")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Write a run of the catalogue, with the fits made from it, to a file for other programs."""
    settings = start()
    with Console().status("odmrlab: reading the catalogue"):
        from .record import catalogue
        from .record.export import export as write

        catalogue.create(settings)
        client = catalogue.connect(settings)
        path = write(client, uid, format.value, out, force)
        client.context.close()
    print(path)


@app.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
def ioc(arguments: Annotated[list[str] | None, typer.Argument()] = None) -> None:
    """Serve instruments in the foreground; see ``odmrlab ioc --help``."""
    from ..ioc.__main__ import main as serve

    raise typer.Exit(serve(arguments or []))
