"""The command ``odmrlab``."""

import os
import sys
from contextlib import ExitStack
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console

from ..ioc.physics import Sample
from ..ioc.sample_file import SampleFileError, read_sample
from .record.commands import journal
from .record.journal import JournalError
from .settings import Settings, UnwritableError, writable_folder
from .twin import Twin, TwinError

LAYER, LAYERS = "OPHYD_CONTROL_LAYER", ("caproto", "pyepics")
SEED = 2026  # of the twin's noise, so that the same command gives the same numbers

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=__doc__,
)
app.add_typer(journal, name="journal")

Speed = Annotated[float, typer.Option(help="Laboratory seconds per second of the twin.")]
SampleFile = Annotated[
    Path | None, typer.Option(help="TOML file of the sample (default: sample #1 of the paper).")
]
Sealed = Annotated[bool, typer.Option("--sealed", help="Keep the truth about the sample hidden.")]


class Analysis(StrEnum):
    """Whose formulas give the values of the results."""

    AUTO = "auto"
    PAPER = "paper"
    CORRECTED = "corrected"


def main() -> None:
    """Run the command line; a person's mistake gives one sentence and exit status 2."""
    try:
        app()
    except tuple(mistakes()) as error:
        # bluesky wraps what a device said; the device's own words are the cause
        cause = error.__cause__ if type(error).__name__ == "FailedStatus" else None
        print(f"odmrlab: {cause or error}", file=sys.stderr)
        sys.exit(2)


def mistakes() -> list[type[Exception]]:
    """Return the errors that a person can mend; everything else is ours, with its traceback."""
    found = [ValidationError, UnwritableError, TwinError, SampleFileError]
    found += [TimeoutError, PermissionError, JournalError]
    # these belong to modules that are loaded only when a command needs them
    late = {
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
def reproduce(
    out: Annotated[Path, typer.Option(help="Folder for results, figures and report.")] = Path(
        "out"
    ),
    speed: Speed = 1000.0,
    sample: SampleFile = None,
    only: Annotated[
        list[str] | None, typer.Option(help="Figures, separated by commas or spaces.")
    ] = None,
    more: Annotated[list[str] | None, typer.Argument(metavar="[FIGURE ...]", hidden=True)] = None,
    seed: Annotated[int, typer.Option(help="Of the twin's noise.")] = SEED,
    sealed: Sealed = False,
    analysis: Annotated[
        Analysis,
        typer.Option(help="Which gives the values; auto: corrected for a sample with effects."),
    ] = Analysis.AUTO,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Begin anew, even where a campaign was interrupted.")
    ] = False,
) -> None:
    """Re-measure the paper on the twin, print the table, and write results, figures and report.

    A campaign that was interrupted goes on with what is missing.
    """
    from .campaign.ledger import Ledger
    from .campaign.paper import FIGURES

    settings, console = start(), Console()
    writable_folder(out, "reproduce")
    given = read_sample(sample) if sample else Sample()
    wanted = figure_names([*(only or []), *(more or [])], tuple(FIGURES))
    facts = {
        "sample": given.name,
        "sample file": sha256(sample.read_bytes()).hexdigest() if sample else "",
        "seed": seed,
        "figures": ", ".join(wanted),
    }
    ledger = Ledger.open(out, facts, fresh)
    if ledger.runs:
        console.print(f"going on with a campaign: {len(ledger.runs)} runs are there already")
    with ExitStack() as stack:
        benches = twins(stack, settings, wanted, sample, speed, sealed, seed + ledger.attempt - 1)
        facts = facts | {
            "speed": f"{speed:g} laboratory seconds per second",
            "truth": "sealed" if sealed else "open",
            "control layer": os.environ.get(LAYER, LAYERS[0]),
            "profile": settings.catalogue_profile,
            "attempts": ledger.attempt,
        }
        with console.status("odmrlab: loading"):
            # the twins know their addresses now; these import clients, which ask for them once
            from .campaign.checks import table as table_of_checks
            from .campaign.report import table
            from .campaign.reproduce import Order
            from .campaign.reproduce import reproduce as measure
        automatic = Analysis.CORRECTED if given.effects else Analysis.PAPER
        chosen = automatic if analysis is Analysis.AUTO else analysis
        order = Order(wanted, out, benches, speed, facts, chosen.value)
        came = measure(settings, order, ledger, console)
    console.print(table(came.numbers, came.foreseen))
    if came.checks:
        console.print(table_of_checks(came.checks))
    console.print(f"{out}/report.html has the figures, {out}/results.json the numbers", style="dim")


def twins(
    stack: ExitStack,
    settings: Settings,
    figures: list[str],
    sample: Path | None,
    speed: float,
    sealed: bool,
    seed: int,
) -> dict[str, tuple[str, str]]:
    """Start the twin of every bench that the figures need, for as long as the stack lives.

    Returns:
        Prefix of the PVs and name of the sample, by bench.
    """
    from .campaign.benches import energy_samples
    from .campaign.paper import cells_of
    from .campaign.scan import MAIN

    files: dict[str, Path | None] = {MAIN: sample}
    if "energies" in cells_of(figures):
        folder = Path(stack.enter_context(TemporaryDirectory()))
        files |= energy_samples(sample, folder)
    benches = {}
    for number, (bench, file) in enumerate(files.items()):
        mark = f"{number + 1}" if number else ""
        prefix = f"{settings.prefix.removesuffix(':')}{mark}:" if number else settings.prefix
        stack.enter_context(Twin(prefix, settings.logs, speed, file, seed + number, sealed))
        benches[bench] = (prefix, read_sample(file).name if file else Sample().name)
    return benches


@app.command()
def coverage(
    samples: Annotated[int, typer.Option(min=2, help="Hidden samples, in this process.")] = 200,
    stack: Annotated[int, typer.Option(min=0, help="More of them, through the whole stack.")] = 0,
    seed: Annotated[int, typer.Option(help="Of the first sample.")] = 1,
    page: Annotated[Path | None, typer.Option(help="Markdown file to be written as well.")] = None,
) -> None:
    """Draw hidden samples, measure them, and count how often the truth lies in the error bars."""
    from rich.progress import track

    from .campaign import coverage as done

    console, parts = Console(), []
    kinds = (("in this process", done.in_process, samples),)
    kinds += (("through the whole stack", done.through_the_stack, stack),) if stack else ()
    for where, measure, number in kinds:
        seeds = range(seed, seed + number)
        outcomes = list(track(done.cover(measure, seeds), where, number, console=console))
        failed = [outcome for outcome in outcomes if isinstance(outcome, str)]
        trials = [trial for outcome in outcomes if isinstance(outcome, list) for trial in outcome]
        parts.append((f"{number} samples {where}", done.summed_up(trials), failed))
        console.print(done.table(parts[-1][1], parts[-1][0]), *failed, sep="\n")
    if page:
        page.write_text(done.page(parts))


def start() -> Settings:
    """Return the settings, with the folder of the laboratory ready to be written."""
    if (layer := os.environ.get(LAYER, LAYERS[0])) not in LAYERS:
        raise typer.BadParameter(f"{LAYER}={layer}; needs {' or '.join(LAYERS)}")
    settings = Settings()
    for folder in (settings.home, settings.journal, settings.catalogue, settings.logs):
        writable_folder(folder, "odmrlab")
    return settings


def figure_names(asked: list[str], known: tuple[str, ...]) -> list[str]:
    """Return the names of figures in a list of words, each with commas; all, if there are none."""
    names = [name for word in asked for name in word.split(",") if name]
    if unknown := [name for name in names if name not in known]:
        needs = f"needs names from: {', '.join(known)}"
        raise typer.BadParameter(f"unknown figure {', '.join(unknown)}; {needs}")
    return [name for name in known if name in names] if names else list(known)


@app.command()
def shell(
    connect: Annotated[
        bool, typer.Option("--connect", help="Use the IOCs at EPICS_CA_ADDR_LIST, no twin.")
    ] = False,
    speed: Speed = 100.0,
    sample: SampleFile = None,
    seed: Annotated[int | None, typer.Option(help="Of the twin's noise.")] = None,
    sealed: Sealed = False,
) -> None:
    """Open IPython with RE, instruments, plans and catalogue ready, on a twin of its own."""
    settings = start()
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
    """Measure what a run lacks that ended too early, on the IOCs at EPICS_CA_ADDR_LIST.

    They are put back to the settings of the run, and its last point is proved. The rest is a run of its
    own, linked to the first, fitted and exported together with it.
    """
    settings = start()
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
