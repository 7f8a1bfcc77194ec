"""What the journal holds of a run that ended too early, for going on with it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...plans.resume import Recorded, ResumeError
from .frame import Document
from .inventory import is_locked
from .journal import QUARANTINE, SHIPPED, SUFFIX
from .tail import Tail

LEAST = 5  # characters of a uid


def documents(folder: Path, run: str) -> list[Document]:
    """Return the documents of a run, by its uid or the first characters of it.

    Args:
        folder: Of the journals.
        run: Its uid.

    Raises:
        ResumeError: There is no such run, more than one, or it is being measured.
    """
    found = [path for path in journals(folder) if begins(path, run)]
    if len(found) != 1:
        raise ResumeError(
            f"resume: {len(found)} runs of the journal begin with {run!r}; needs the uid of one, or "
            f"its first {LEAST} or more characters"
        )
    if found[0].parent == folder and is_locked(found[0]):
        raise ResumeError(f"resume: {run} is being measured; needs a run that has ended")
    tail = Tail(found[0])
    try:
        return list(tail.news())
    finally:
        tail.close()


def journals(folder: Path) -> Iterator[Path]:
    """Yield every journal of a folder, whatever became of its run."""
    for place in (folder, folder / SHIPPED, folder / QUARANTINE):
        yield from place.glob(f"*{SUFFIX}")


def begins(path: Path, run: str) -> bool:
    """Tell whether a journal is that of a run."""
    return path.stem == run or len(run) >= LEAST and path.stem.startswith(run)


def recorded(folder: Path, run: str) -> Recorded:
    """Return what the journal holds of a run, and of the runs before and after it that it is one with.

    Raises:
        ResumeError: The journal does not hold it.
    """
    parts = list(chain(folder, latest(folder, run)))[::-1]
    first, last = parts[0], parts[-1]
    pattern = start_of(first).get("plan_pattern_args", {}).get("args", [None, []])
    rows = [event["data"] for part in parts for event in events(part, "primary")]
    stops = [doc for name, doc in last if name == "stop"]
    return Recorded(
        start=start_of(last),
        runs=[start_of(part)["uid"] for part in parts],
        points=pattern[1],
        rows=rows,
        settings=settings_of(first),
        finished=any(stop["exit_status"] == "success" for stop in stops),
    )


def rows_before(folder: Path, run: str) -> tuple[list[str], list[dict[str, Any]]]:
    """Return the uids of all that a run went on with, the first one first, and their primary events."""
    parts = list(chain(folder, run))[::-1]
    uids = [start_of(part)["uid"] for part in parts]
    return uids, [event for part in parts for event in events(part, "primary")]


def chain(folder: Path, run: str | None) -> Iterator[list[Document]]:
    """Yield a run, the one that it went on with, and so on."""
    while run:
        part = documents(folder, run)
        yield part
        run = start_of(part).get("resumes")


def latest(folder: Path, run: str) -> str:
    """Return the uid of the last run that goes on with a run; its own if there is none."""
    after = {}
    for path in journals(folder):
        tail = Tail(path)
        name, doc = next(tail.news(), ("", {}))
        tail.close()
        if name == "start" and "resumes" in doc:
            after[doc["resumes"]] = doc["uid"]
    uid = start_of(documents(folder, run))["uid"]
    while uid in after:
        uid = after[uid]
    return uid


def start_of(part: list[Document]) -> dict[str, Any]:
    """Return the start document."""
    return part[0][1]


def events(part: list[Document], stream: str) -> list[dict[str, Any]]:
    """Return the events of a stream in their order, each once."""
    wanted = {d["uid"] for name, d in part if name == "descriptor" and d["name"] == stream}
    found = {
        doc["seq_num"]: doc for name, doc in part if name == "event" and doc["descriptor"] in wanted
    }
    return [found[number] for number in sorted(found)]


def settings_of(part: list[Document]) -> dict[str, Any]:
    """Return what the instruments were set to when a run began, by event column."""
    values: dict[str, Any] = {}
    for name, doc in part:
        if name == "descriptor" and doc["name"] == "baseline":
            for device in doc["configuration"].values():
                values |= device["data"]
    for event in events(part, "baseline")[:1]:
        values |= event["data"]
    return values
