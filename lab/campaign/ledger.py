"""What a campaign has measured already, so that one that was killed goes on where it was."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

from event_model import DocumentRouter

from ...analysis import Curve
from ...analysis.fit_run import curve_of
from ..record.journal import read

NAME = "campaign.json"


@dataclass(eq=False)
class Records(DocumentRouter):
    """The documents of every run of this session, fits too, by the uid of the run."""

    starts: dict[str, dict] = field(default_factory=dict)
    descriptors: dict[str, dict] = field(default_factory=dict)
    events: dict[str, list[dict]] = field(default_factory=dict)
    stops: dict[str, dict] = field(default_factory=dict)

    def start(self, doc):
        self.starts[doc["uid"]] = doc

    def descriptor(self, doc):
        if doc["name"] == "primary":
            self.descriptors[doc["run_start"]] = doc
            self.events[doc["uid"]] = []

    def event(self, doc):
        if doc["descriptor"] in self.events:
            self.events[doc["descriptor"]].append(doc)

    def stop(self, doc):
        self.stops[doc["run_start"]] = doc

    def curve(self, run: str) -> Curve:
        """Return the data of a run."""
        descriptor = self.descriptors[run]
        return curve_of(self.starts[run], descriptor, self.events[descriptor["uid"]])

    def fit_of(self, run: str) -> str:
        """Return the uid of the fit of a run."""
        (uid,) = [uid for uid, doc in self.starts.items() if doc.get("analysis_of") == [run]]
        return uid


@dataclass
class Ledger:
    """The runs of one campaign by their labels, in a file beside its results.

    Attributes:
        path: Of that file.
        facts: How it is measured; a campaign goes on only with the same.
        campaign: Uid, in the start document of every run of it.
        attempt: How often it was begun.
        finished: Whether it is complete; then the next one begins anew.
        runs: Uids of a run and of its fit, by label.
    """

    path: Path
    facts: dict[str, Any]
    campaign: str = field(default_factory=lambda: str(uuid4()))
    attempt: int = 1
    finished: bool = False
    runs: dict[str, tuple[str, str]] = field(default_factory=dict)

    @classmethod
    def open(cls, folder: Path, facts: dict[str, Any], fresh: bool = False) -> Self:
        """Return the ledger of the unfinished campaign of a folder, or of a new one.

        Args:
            folder: Of the results.
            facts: How it is to be measured.
            fresh: Whether to begin anew in any case.
        """
        path = folder / NAME
        held = None if fresh else _content(path)
        if held is None or held["facts"] != facts or held["finished"]:
            return cls(path, facts)
        runs = {label: (run, fit) for label, (run, fit) in held["runs"].items()}
        return cls(path, facts, held["campaign"], held["attempt"] + 1, runs=runs)

    def note(self, label: str, run: str, fit_run: str) -> None:
        """Remember a run, durably."""
        self.runs[label] = (run, fit_run)
        self.save()

    def save(self) -> None:
        """Write the file, whole or not at all."""
        names = ("campaign", "facts", "attempt", "finished", "runs")
        content = {name: getattr(self, name) for name in names}
        new = self.path.with_suffix(".new")
        with new.open("w") as file:
            file.write(json.dumps(content, indent=1))
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.path)

    def recall(self, label: str, journal: Path) -> Records | None:
        """Return the documents of a run and of its fit, or None where they are not whole."""
        records = Records()
        for uid in self.runs.get(label, ()):
            paths = list(journal.rglob(f"{uid}.jsonl"))
            for name, document in read(paths[0], go_on=True) if paths else ():
                records(name, document)
            if records.stops.get(uid, {}).get("exit_status") != "success":
                return None
        return records if records.stops else None


def _content(path: Path) -> dict[str, Any] | None:
    """Return what a ledger holds; None where there is none."""
    try:
        held = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return held if isinstance(held, dict) and {"facts", "finished", "runs"} <= set(held) else None
