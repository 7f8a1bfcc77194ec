"""What is being measured, how far it is, and how long it will take."""

from typing import Self

from event_model import DocumentRouter
from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


class ReadingsBar(DocumentRouter):
    """A progress bar that advances with every reading of a campaign; a context manager.

    Args:
        console: Where it is drawn.
        readings: How many there will be.
    """

    def __init__(self, console: Console, readings: int):
        super().__init__()
        self._bar = Progress(
            TextColumn("[bold]{task.description:<40.40}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
        )
        self._task = self._bar.add_task("starting", total=readings)
        self._primary: set[str] = set()
        self._apart: set[str] = set()

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_) -> None:
        self._bar.stop()

    def say(self, what: str) -> None:
        """Show what is being measured."""
        self._bar.update(self._task, description=what)

    def done(self, sentence: str) -> None:
        """Leave a line above the bar."""
        self._bar.console.print(sentence, highlight=False)

    def show(self, renderable: RenderableType) -> None:
        """Leave something larger above the bar, such as a table."""
        self._bar.console.print(renderable)

    def start(self, doc):
        if doc.get("technique") == "fit" or doc.get("purpose") == "preflight":
            self._apart.add(doc["uid"])

    def descriptor(self, doc):
        if doc["name"] == "primary" and doc["run_start"] not in self._apart:
            self._primary.add(doc["uid"])

    def event(self, doc):
        if doc["descriptor"] in self._primary:
            self._bar.advance(self._task)
