"""Disks that are full, slow to tell, or pulled away while a scan writes its journal."""

import os
import random
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from desk import POINTS, Desk, shipped
from scoreboard import Case

SMALL = 2  # MB, of a disk that can be filled


@contextmanager
def small_disk(home: Path) -> Iterator[Path]:
    """Mount a small disk where this may be done; give the place, which is a plain folder else."""
    home.mkdir(exist_ok=True)
    words = ["mount", "-t", "tmpfs", "-o", f"size={SMALL}m", "tmpfs", str(home)]
    mounted = subprocess.run(words, capture_output=True, check=False).returncode == 0  # noqa: S603
    try:
        yield home
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(home)], check=False)  # noqa: S603, S607


@contextmanager
def limit(what: int, value: int) -> Iterator[None]:
    """Lower a limit of this process."""
    soft, hard = resource.getrlimit(what)
    resource.setrlimit(what, (value, hard))
    try:
        yield
    finally:
        resource.setrlimit(what, (soft, hard))


def fill(folder: Path) -> Path:
    """Take all the room of a disk."""
    path = folder / "filling"
    with path.open("wb", buffering=0) as file:
        for size in (2**16, 2**10, 1):
            try:
                while file.write(b"x" * size):
                    pass
            except OSError:
                continue
    return path


def judged(fault: str, desk: Desk, told: str, expected: str) -> Case:
    """Scan once more, ship all of it, and return what came of the fault."""
    again = desk.scan()
    desk.close()
    differ = shipped(desk.settings)
    wrong = desk.wrong() or differ
    if not wrong and expected not in told:
        wrong = f"said {told!r}; needs to speak of {expected!r}"
    return Case(fault, lost=desk.lost(), wrong=wrong, resumed=not again, message=told)


def full_before(chance: random.Random, home: Path) -> Case:
    """Have less room than a run needs to begin."""
    with small_disk(home / "disk") as disk:
        desk = Desk(disk, room=SMALL * 1e6)
        told = desk.scan()
        begun = len(desk.kept()) + len(desk.seen)
        desk.close()
        wrong = f"{begun} documents of a run that may not begin" if begun else ""
        if "needs 2e+06 MB to begin" not in told:
            wrong = wrong or f"said {told!r}"
        return Case("disk: too full to begin", wrong=wrong, message=told)


def full_within(chance: random.Random, home: Path) -> Case:
    """Let somebody fill the disk to the last byte in the middle of a scan."""
    with small_disk(home / "disk") as disk:
        # what is left is more than the last block of the file has room for
        desk, after = Desk(disk), chance.randrange(1, POINTS // 2)
        if not os.path.ismount(disk):
            return limited_within(chance, home)
        told = desk.scan(lambda number: number == after and fill(disk))
        (disk / "filling").unlink()
        return judged("disk: full in a scan", desk, told, "No space left")


def low_within(chance: random.Random, home: Path) -> Case:
    """Let the room come near its end in the middle of a scan: there is still enough for its stop."""
    with small_disk(home / "disk") as disk:
        desk, after = Desk(disk, room=0.8), chance.randrange(1, POINTS)
        if not os.path.ismount(disk):
            return limited_within(chance, home)

        def nearly(number: int) -> None:
            if number == after:
                size = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize - 60_000
                (disk / "filling").write_bytes(b"x" * size)

        told = desk.scan(nearly)
        stops = [doc for documents in desk.kept().values() for n, doc in documents if n == "stop"]
        (disk / "filling").unlink()
        case = judged("disk: nearly full in a scan", desk, told, "MB to go on")
        if not stops or "MB to go on" not in stops[0]["reason"]:
            return Case(case.fault, wrong="its stop does not say why", message=told)
        return case


def limited_within(chance: random.Random, home: Path) -> Case:
    """Let no file grow beyond a size that is reached in the middle of a scan."""
    desk = Desk(home)
    with limit(resource.RLIMIT_FSIZE, chance.randrange(1500, 9000)):
        told = desk.scan()
    return judged("disk: no larger file allowed", desk, told, "File too large")


def deleted_within(chance: random.Random, home: Path) -> Case:
    """Let somebody delete the journal, or its whole folder, in the middle of a scan."""
    desk, after, whole = Desk(home), chance.randrange(1, POINTS), chance.random() < 0.5

    def delete(number: int) -> None:
        if number != after:
            return
        for path in desk.settings.journal.glob("*.jsonl"):
            path.unlink()
        if whole:
            desk.settings.journal.rmdir()

    told = desk.scan(delete)
    return judged("journal: deleted under its writer", desk, told, "")


def unwritable(chance: random.Random, home: Path) -> Case:
    """Have a file where the folder of the journal should be, between two scans."""
    desk = Desk(home)
    desk.settings.journal.rmdir()
    desk.settings.journal.write_text("in the way")
    told = desk.scan()
    desk.settings.journal.unlink()
    return judged("journal: cannot be written", desk, told, "cannot be made")


def no_handles(chance: random.Random, home: Path) -> Case:
    """Have no file handle left when a scan begins."""
    desk = Desk(home)
    with limit(resource.RLIMIT_NOFILE, len(os.listdir("/proc/self/fd")) - 1):
        told = desk.scan()
    return judged("journal: no file handle left", desk, told, "Too many open files")
