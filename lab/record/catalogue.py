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
import sqlite3
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from bluesky_tiled_plugins import CatalogOfBlueskyRuns, TiledWriter
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
from .journal import Document
from .profile import ARRAYS, METADATA, TABLES, CatalogueError, configuration, write_profile


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
    with warnings.catch_warnings():
        # which library Starlette would rather see behind its client is not ours to choose
        warnings.filterwarnings("ignore", "Using `httpx` with `starlette.testclient`")
        return from_context(Context.from_app(build_app_from_config(configuration(settings))))


def write_run(client: CatalogOfBlueskyRuns, documents: Iterable[Document]) -> None:
    """Write one run and read it back; a run that is complete there is left alone.

    What was left half written is deleted and written anew. A run that cannot be written, or does
    not come back whole, is not left in the catalogue.

    Raises:
        ValueError: When the documents are not one run, from its start to its stop.
        CatalogueError: When rows are missing, doubled or unreadable after writing.
    """
    documents = list(documents)
    if not documents or documents[0][0] != "start" or documents[-1][0] != "stop":
        names = ", ".join(dict.fromkeys(name for name, _ in documents))
        raise ValueError(f"catalogue: got {names or 'nothing'}; needs a run from start to stop")
    uid = documents[0][1]["uid"]
    expected = count_events(documents)
    if (there := _find(client, uid)) is not None:
        if "stop" in there.metadata and count_rows(there) == expected:
            return
        delete_run(client, uid)
    with ExitStack() as undo:
        undo.callback(delete_run, client, uid)
        # one batch: the type of a column is that of all its values. Arrays: SQLite has none
        writer = TiledWriter(client, batch_size=len(documents), max_array_size=0)
        for name, document in documents:
            writer(name, document)
        if (found := count_rows(_find(client, uid))) != expected:
            raise CatalogueError(
                f"catalogue: run {uid} came back with rows {found}; needs {expected}"
            )
        undo.pop_all()


def delete_run(client: CatalogOfBlueskyRuns, uid: str) -> None:
    """Delete a run with its tables and arrays, if it is there."""
    if _find(client, uid) is not None:
        client.delete_contents(uid, recursive=True, external_only=False)


def count_events(documents: Iterable[Document]) -> dict[str, set[int]]:
    """Return the number of events of every stream, in the shape of `count_rows`."""
    streams: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for name, document in documents:
        if name == "descriptor":
            streams[document["uid"]] = document["name"]
            counts[document["name"]] += 0
        elif name == "event":
            counts[streams[document["descriptor"]]] += 1
        elif name == "event_page":
            counts[streams[document["descriptor"]]] += len(document["seq_num"])
    return {stream: {count} if count else set() for stream, count in counts.items()}


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


def _find(client: CatalogOfBlueskyRuns, uid: str) -> Container | None:
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
