"""What is being measured, how far it is, and how long it will take."""

from collections.abc import Mapping
from typing import Self

from event_model import DocumentRouter
from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

MEMORY = 60.0  # s, over which the time left is judged by how fast it went


class ReadingsBar(DocumentRouter):
    """A progress bar over the time that a campaign was foreseen to take; a context manager.

    It advances with every reading by that reading's share of its cell. The time left is what is left
    of the foreseen time, at the speed of the last minute: a slow computer makes it longer as it goes.

    Args:
        console: Where it is drawn.
    """

    def __init__(self, console: Console):
        super().__init__()
        self._bar = Progress(
            TextColumn("[bold]{task.description:<40.40}"),
            BarColumn(),
            TextColumn("{task.fields[readings]} readings"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            speed_estimate_period=MEMORY,
        )
        self._task = self._bar.add_task("starting", total=None, readings=0)
        self._plan: dict[str, tuple[float, int]] = {}
        self._before = self._here = 0.0  # s foreseen for what is done, and for the cell under way
        self._share = 1.0  # of that, for each reading
        self._readings = self._of_cell = 0
        self._primary: set[str] = set()
        self._apart: set[str] = set()

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_) -> None:
        self._bar.stop()

    def plan(self, cells: Mapping[str, tuple[float, int]]) -> None:
        """Take what is foreseen: duration [s] and number of readings of every cell."""
        self._plan = dict(cells)
        total = sum(duration for duration, _ in self._plan.values())
        self._bar.reset(self._task, total=total, readings=0)

    def begin(self, cell: str) -> None:
        """Begin a cell; the one before is through."""
        self._before += self._here
        self._here, readings = self._plan[cell]
        self._share, self._of_cell = 1 / max(readings, 1), 0
        self._show()

    def end(self) -> None:
        """End the last cell."""
        self._before, self._here = self._before + self._here, 0.0
        self._show()

    def say(self, what: str) -> None:
        """Show what is being measured."""
        self._bar.update(self._task, description=what)

    def done(self, sentence: str) -> None:
        """Leave a line above the bar."""
        self._bar.console.print(sentence, highlight=False)

    def show(self, renderable: RenderableType) -> None:
        """Leave something larger above the bar, such as a table."""
        self._bar.console.print(renderable)

    def _show(self) -> None:
        # a run that is repeated brings more readings than were foreseen
        through = self._before + min(self._of_cell * self._share, 1.0) * self._here
        self._bar.update(self._task, completed=through, readings=self._readings)

    def start(self, doc):
        if doc.get("technique") == "fit" or doc.get("purpose") == "preflight":
            self._apart.add(doc["uid"])

    def descriptor(self, doc):
        if doc["name"] == "primary" and doc["run_start"] not in self._apart:
            self._primary.add(doc["uid"])

    def event(self, doc):
        if doc["descriptor"] in self._primary:
            self._readings += 1
            self._of_cell += 1
            self._show()
