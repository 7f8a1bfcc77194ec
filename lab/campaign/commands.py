"""The commands ``odmrlab reproduce`` and ``odmrlab coverage``."""

import os
from contextlib import ExitStack
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console

from ..options import LAYER, LAYERS, SampleFile, Sealed, Speed, start
from ..settings import Settings, writable_folder
from ..twin import Twin

SEED = 2026  # of the twin's noise, so that the same command gives the same numbers

app = typer.Typer()


class Analysis(StrEnum):
    """Whose formulas give the values of the results."""

    AUTO = "auto"
    PAPER = "paper"
    CORRECTED = "corrected"


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
    from ...ioc.physics import Sample
    from ...ioc.sample_file import read_sample
    from .ledger import Ledger
    from .paper import FIGURES

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
            from .checks import table as table_of_checks
            from .report import table
            from .reproduce import Order
            from .reproduce import reproduce as measure
            from .truth import truth_of
        automatic = Analysis.CORRECTED if given.effects else Analysis.PAPER
        chosen = automatic if analysis is Analysis.AUTO else analysis
        truth = {} if sealed else truth_of(given)
        order = Order(wanted, out, benches, speed, facts, chosen.value, truth)
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
    from ...ioc.physics import Sample
    from ...ioc.sample_file import read_sample
    from .benches import energy_samples
    from .paper import cells_of
    from .scan import MAIN

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
    twin: Annotated[
        int, typer.Option(min=0, help="More, in this process, with all effects on; corrected.")
    ] = 0,
    twin_stack: Annotated[
        int, typer.Option(min=0, help="More of these, through the whole stack.")
    ] = 0,
    seed: Annotated[int, typer.Option(help="Of the first sample.")] = 1,
    page: Annotated[Path | None, typer.Option(help="Markdown file to be written as well.")] = None,
) -> None:
    """Draw hidden samples, measure them, and count how often the truth lies in the error bars."""
    from rich.progress import track

    from . import coverage as done

    console, parts = Console(), []
    here, there, all_on = "in this process", "through the whole stack", "with all effects, "
    kinds = (
        (here, done.in_process, samples, ()),
        (there, done.through_the_stack, stack, ()),
        (all_on + here, done.in_process, twin, ("twin",)),
        (all_on + there, done.through_the_stack, twin_stack, ("twin",)),
    )
    for where, measure, number, effects in kinds:
        if not number:
            continue
        covered = done.cover(measure, range(seed, seed + number), effects)
        outcomes = list(track(covered, where, number, console=console))
        failed = [outcome for outcome in outcomes if isinstance(outcome, str)]
        trials = [trial for outcome in outcomes if isinstance(outcome, list) for trial in outcome]
        parts.append((f"{number} samples {where}", done.summed_up(trials), failed))
        console.print(done.table(parts[-1][1], parts[-1][0]), *failed, sep="\n")
        if page:  # the parts that follow may take an hour, and be interrupted
            page.write_text(done.page(parts))


def figure_names(asked: list[str], known: tuple[str, ...]) -> list[str]:
    """Return the names of figures in a list of words, each with commas; all, if there are none."""
    names = [name for word in asked for name in word.split(",") if name]
    if unknown := [name for name in names if name not in known]:
        needs = f"needs names from: {', '.join(known)}"
        raise typer.BadParameter(f"unknown figure {', '.join(unknown)}; {needs}")
    return [name for name in known if name in names] if names else list(known)
