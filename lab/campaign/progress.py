"""What is being measured, how far it is, and how long it will take."""

from typing import Self

from event_model import DocumentRouter
from rich.console import Console
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
        self._fits: set[str] = set()

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

    def start(self, doc):
        if doc.get("technique") == "fit":
            self._fits.add(doc["uid"])

    def descriptor(self, doc):
        if doc["name"] == "primary" and doc["run_start"] not in self._fits:
            self._primary.add(doc["uid"])

    def event(self, doc):
        if doc["descriptor"] in self._primary:
            self._bar.advance(self._task)
