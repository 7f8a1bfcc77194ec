"""The embedded catalogue: Tiled over SQLite and local files, read without any server.

A Tiled client profile of the kind ``direct`` builds the catalogue inside the reading process, so
``databroker.catalog["odmr"]`` works in every Python session of the user and nothing listens on a
port. Search it with ``tiled.queries``: ``catalog.search(Key("technique") == "fit")``.

Both databases keep a write-ahead log, so any number of processes read while one writes; one process
writes, the shipper. Only Tiled opens ``tables.db``: its driver brings an SQLite of its own, and two
copies of SQLite in one process undo each other's locks. Runs that point to external files, and
arrays of length 0, are not supported.
"""

import asyncio
import logging
import os
import sqlite3
import tempfile
import warnings
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

from bluesky_tiled_plugins import CatalogOfBlueskyRuns
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine
from tiled.alembic_utils import stamp_head
from tiled.catalog.alembic_constants import ALEMBIC_DIR, ALEMBIC_INI_TEMPLATE_PATH
from tiled.catalog.core import initialize_database
from tiled.client.array import ArrayClient
from tiled.client.constructors import from_context
from tiled.client.container import Container
from tiled.client.context import Context
from tiled.server.app import build_app_from_config

from ..settings import Settings, writable_folder
from .frame import Document
from .journal import first_line
from .profile import ARRAYS, METADATA, TABLES, CatalogueError, configuration, write_profile
from .rows import RunWriter, differences


class OutageError(OSError):
    """A catalogue that cannot be written at the moment, whatever the run."""


def prepare(settings: Settings) -> None:
    """Create the catalogue and its profile; whatever is there already stays as it is.

    Raises:
        UnwritableError: When the folder of the catalogue cannot be written.
        CatalogueError: When the name of the profile is taken by another catalogue.
    """
    create(settings)
    write_profile(settings)


def create(settings: Settings) -> None:
    """Create the empty catalogue, unless there is one."""
    writable_folder(settings.catalogue, "catalogue")
    if (settings.catalogue / METADATA).exists():
        return
    with tempfile.TemporaryDirectory(dir=settings.home, prefix="new-catalogue-") as place:
        new = Path(place) / "catalogue"
        (new / ARRAYS).mkdir(parents=True)
        with ThreadPoolExecutor(1) as thread:
            # a thread, because a notebook has an event loop running in this one
            thread.submit(_initialize, new / METADATA).result()
        tables = sqlite3.connect(new / TABLES)
        tables.execute("PRAGMA journal_mode=WAL")
        tables.close()
        try:
            new.rename(settings.catalogue)
        except OSError:
            # another process was faster; a folder that is not empty is never replaced
            if not (settings.catalogue / METADATA).exists():
                raise


def connect(settings: Settings) -> CatalogOfBlueskyRuns:
    """Open the catalogue in this process, with or without a profile."""
    # it tells its version to everybody who looks
    logging.getLogger("tiled.server.app").setLevel(logging.WARNING)
    with warnings.catch_warnings():
        # which library Starlette would rather see behind its client is not ours to choose
        warnings.filterwarnings("ignore", "Using `httpx` with `starlette.testclient`")
        return from_context(Context.from_app(build_app_from_config(configuration(settings))))


def open_writable(settings: Settings) -> CatalogOfBlueskyRuns:
    """Open the catalogue, new if there is none, in order to write.

    Raises:
        OutageError: When it cannot.
        UnwritableError: When there is no place for it.
    """
    create(settings)
    try:
        return connect(settings)
    except (OSError, SQLAlchemyError) as error:
        raise OutageError(
            f"catalogue: {settings.catalogue} cannot be opened ({first_line(error)}); "
            "needs that folder as it was, or out of the way and 'odmrlab journal replay'"
        ) from error


def write_run(client: CatalogOfBlueskyRuns, documents: Iterable[Document]) -> None:
    """Write one run, read it back and compare; a run that is whole there is left alone.

    What was left half written is deleted and written anew. A run that cannot be written, or does
    not come back as it was, is not left in the catalogue.

    Args:
        client: Of the catalogue.
        documents: Of the run; they are gone through three times, one by one, so that a run may be
            larger than the memory.

    Raises:
        ValueError: When the documents are not one run, from its start to its stop.
        CatalogueError: When a row does not come back, or not as it was.
    """
    name, start = next(iter(documents), ("nothing", {}))
    if name != "start":
        raise ValueError(f"catalogue: got {name} first; needs a run from start to stop")
    uid = start["uid"]
    if (there := find_run(client, uid)) is not None:
        if next(differences(there, documents), None) is None and "stop" in there.metadata:
            return
        delete_run(client, uid)
    with ExitStack() as undo:
        undo.callback(delete_run, client, uid)
        writer = RunWriter(client)
        for name, document in documents:
            writer(name, document)
        if name != "stop":
            raise ValueError(f"catalogue: got {name} last; needs a run from start to stop")
        if found := list(islice(differences(find_run(client, uid), documents), 3)):
            raise CatalogueError(f"catalogue: run {uid} did not come back: {'; '.join(found)}")
        undo.pop_all()


def prove_writable(client: CatalogOfBlueskyRuns, settings: Settings) -> None:
    """Write something into the catalogue and delete it.

    Raises:
        OutageError: When that does not work, so no run is to blame.
    """
    name = f"proof-{os.getpid()}"
    try:
        writable_folder(settings.catalogue, "catalogue")
        delete_run(client, name)
        client.create_container(key=name)
        delete_run(client, name)
    except Exception as error:  # whatever Tiled, SQLAlchemy or SQLite say of a database
        raise OutageError(
            f"catalogue: {settings.catalogue} cannot be written ({first_line(error)}); "
            "needs to be writable again"
        ) from error


def delete_run(client: CatalogOfBlueskyRuns, uid: str) -> None:
    """Delete a run with its tables and arrays, if it is there."""
    if find_run(client, uid) is not None:
        client.delete_contents(uid, recursive=True, external_only=False)


def count_rows(run: Container) -> dict[str, set[int]]:
    """Read a run and return how many rows its streams have, table by table and array by array.

    A whole stream has one number, or none when it has no event.
    """
    return {
        name: {
            node.shape[0] if isinstance(node, ArrayClient) else len(node.read())
            for node in stream.base.values()
        }
        for name, stream in run.base.items()
    }


def find_run(client: CatalogOfBlueskyRuns, uid: str) -> Container | None:
    """Return the run of exactly this uid, if it is there."""
    try:
        # not client[uid]: that takes a uid for the beginning of another
        return Container.__getitem__(client, uid)
    except KeyError:
        return None


def _initialize(database: Path) -> None:
    # what `tiled catalog init` does, which takes 4 s to start
    uri = f"sqlite+aiosqlite:///{database}"

    async def make_tables() -> None:
        engine = create_async_engine(uri)
        await initialize_database(engine)
        await engine.dispose()

    asyncio.run(make_tables())
    stamp_head(ALEMBIC_INI_TEMPLATE_PATH, ALEMBIC_DIR, uri)
