"""The commands ``odmrlab up | down | status | doctor``."""

import json
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from ..record.shipper import exclusive
from ..settings import Settings, writable_folder
from . import supervisor
from .laboratory import Laboratory, LaboratoryError, folder_of

app = typer.Typer()

Toml = Path | None

TERMINATED = 128 + signal.SIGTERM  # exit status, as of a shell
VERDICTS = {False: ("WRONG", "bold red"), True: ("note", "yellow")}


@app.command()
def up(
    speed: Annotated[float, typer.Option(help="Laboratory seconds per second of the twin.")] = 100,
    sample: Annotated[Toml, typer.Option(help="TOML file of the sample.")] = None,
    bench: Annotated[Toml, typer.Option(help="TOML file of the bench.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of the twin's noise.")] = None,
    sealed: Annotated[bool, typer.Option("--sealed", help="Keep the truth hidden.")] = False,
    faults: Annotated[bool, typer.Option("--faults", help="Serve PVs that make faults.")] = False,
    separate: Annotated[
        bool, typer.Option("--separate", help="Each instrument in a process of its own.")
    ] = False,
    instruments: Annotated[
        str, typer.Option(help="Addresses of IOCs that run elsewhere; no twin then.")
    ] = "",
    queue: Annotated[
        bool, typer.Option(help="Take queued plans; its worker has the instruments.")
    ] = True,
    http: Annotated[bool, typer.Option("--http", help="Offer the queue over HTTP, too.")] = False,
    fresh_ports: Annotated[bool, typer.Option("--fresh-ports", help="Choose ports anew.")] = False,
    timeout: Annotated[float, typer.Option(help="Until it is ready [s].")] = 60,
) -> None:
    """Start the services of the laboratory; ready means that one point was measured and read back."""
    # late, here and below: they take a second to load
    from .status import how_to_connect
    from .up import ORDERLY
    from .up import up as start

    settings, console, began = Settings(), Console(), time.monotonic()
    wanted = Laboratory.asked(
        prefix=settings.prefix,
        speed=speed,
        sample=sample and sample.absolute(),
        bench=bench and bench.absolute(),
        seed=seed,
        sealed=sealed,
        faults=faults,
        separate=separate,
        instruments=instruments,
        queue=queue,
        http=http and queue,
    )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))  # what has begun is ended
    with alone(settings):
        if supervisor.is_up(settings):
            if supervisor.was_ready(settings):
                console.print(f"already up: {settings.home}; 'odmrlab status' shows what runs")
                return
            console.print("ended a laboratory that never was ready")
            supervisor.stop(settings, ORDERLY)
        if left := supervisor.end_what_is_left(settings, ORDERLY):
            console.print(f"ended what a killed daemon had left: {', '.join(left)}")
        with told(console, began) as progress:
            laboratory = start(settings, wanted, timeout, progress, fresh_ports)
    console.print(f"ready in {time.monotonic() - began:.1f} s", style="bold green")
    how_to_connect(settings, laboratory, console)


@contextmanager
def told(console: Console, began: float) -> Iterator[Callable[[str, str], None]]:
    """Give what tells a person the step that goes on, and what came of those before.

    Args:
        console: Of that person.
        began: When it all began, of the clock time.monotonic [s].
    """
    with console.status("odmrlab: starting") as spinner:

        def progress(name: str, found: str) -> None:
            spinner.update(f"odmrlab: {name}")
            if found:
                took = Text(f"{time.monotonic() - began:6.1f} s  ", style="dim")
                console.print(took + Text(f"{name:12} {found}", style="default"))

        yield progress


@app.command()
def down() -> None:
    """End the services in order; nothing is left running."""
    from .up import ORDERLY

    settings, console, began = Settings(), Console(), time.monotonic()
    with alone(settings):
        was_up = supervisor.is_up(settings)
        with console.status("odmrlab: ending"):
            killed = supervisor.stop(settings, ORDERLY)
    if killed:
        console.print(f"had to be killed: {', '.join(killed)}")
    took = f"down in {time.monotonic() - began:.1f} s"
    console.print(took if was_up else "was not up", highlight=False)


@app.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    env: Annotated[bool, typer.Option("--env", help="Lines for a shell, to be a client.")] = False,
    group: Annotated[
        str, typer.Option(help="With --env: of the queue's users; the lines hold its key.")
    ] = "",
    web: Annotated[
        bool, typer.Option("--web", help="Address for a browser, with its key.")
    ] = False,
) -> None:
    """Show what runs; exit status 1 unless all of it does."""
    from .status import environment_lines, report, table_of, web_page

    settings = Settings()
    laboratory = Laboratory.remembered(settings)
    if laboratory is None or not supervisor.is_up(settings):
        raise LaboratoryError(f"laboratory: {settings.home} is not up; needs 'odmrlab up'")
    if env or web:
        lines = environment_lines(settings, laboratory, group) if env else ""
        print(lines or web_page(settings, laboratory))
        return
    rows = report(settings, laboratory)
    if as_json:
        print(json.dumps(rows, indent=2))
    else:
        Console().print(table_of(rows))
    if not supervisor.was_ready(settings):
        print(
            "not ready: a start goes on, or was killed; then it needs 'odmrlab up' once more",
            file=sys.stderr,
        )
    bad = not supervisor.was_ready(settings) or any(row["word"] != "RUNNING" for row in rows)
    raise typer.Exit(bad)


@app.command()
def doctor() -> None:
    """Look for everything that can be wrong; exit status 1 when something is."""
    from .doctor import examine

    settings, console = Settings(), Console()
    laboratory = Laboratory.remembered(settings) or Laboratory(prefix=settings.prefix)
    is_up, wrongs = supervisor.is_up(settings), 0
    console.print(f"{settings.home}, which is {'up' if is_up else 'not up'}", highlight=False)
    for item, found in examine(settings, laboratory, is_up):
        wrongs += 0 if item.note else len(found)
        word, colour = VERDICTS[item.note] if found else ("well", "green")
        console.print(Text(f"  {word:5}", colour) + Text(f"  {item.name}", "default"))
        for sentence in found:
            console.print(Text(f"         {sentence}"), soft_wrap=True)
    console.print("all is well" if not wrongs else f"{wrongs} wrong")
    raise typer.Exit(bool(wrongs))


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """Keep others from starting or ending the same laboratory meanwhile.

    Raises:
        LaboratoryError: When somebody does so.
    """
    folder = writable_folder(folder_of(settings), "services")
    with exclusive(folder, lambda _: False) as mine:
        if not mine:
            raise LaboratoryError(
                f"laboratory: another 'odmrlab up' or 'down' is at work in {settings.home}; "
                "needs that to come to its end"
            )
        yield
