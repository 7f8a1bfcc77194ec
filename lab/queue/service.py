"""What it takes to run the queue: folders, ports, and the commands of its processes."""

import argparse
import json
import sys
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Self

from ..settings import Settings
from .keys import GROUPS, Keys, write_private
from .redis import redis_address

LOG_FORMAT = "%(asctime)s %(name)s: %(message)s"


@dataclass(frozen=True)
class Ports:
    """TCP ports of the loopback address.

    Attributes:
        redis: Of the Redis server.
        manager: Of the manager's control, for the door alone.
        console: Where the manager publishes what the worker prints.
        observer: Of the door, for those who only look.
        operator: Of the door, for those who measure.
        expert: Of the door, for those who also mend.
    """

    redis: int
    manager: int
    console: int
    observer: int
    operator: int
    expert: int

    @classmethod
    def parsed(cls, program: str, words: list[str]) -> Self:
        """Return the ports that are in the options of a command."""
        parser = argparse.ArgumentParser(f"python -m odmrlab.lab.queue.{program}")
        for field in fields(cls):
            parser.add_argument(f"--{field.name}", type=int, required=True, metavar="PORT")
        return cls(**vars(parser.parse_args(words)))

    @classmethod
    def remembered(cls, folder: Path) -> Self:
        """Return the ports with which the queue was last started."""
        return cls(**json.loads((folder / "ports.json").read_text()))

    def remember(self, folder: Path) -> None:
        """Write them down for clients."""
        write_private(folder / "ports.json", json.dumps(asdict(self)))

    def words(self) -> list[str]:
        """Return them as options of a command."""
        return [word for name, port in asdict(self).items() for word in (f"--{name}", str(port))]


def folder(settings: Settings) -> Path:
    """Return the folder of the queue."""
    return settings.home / "queue"


def permissions(settings: Settings) -> Path:
    """Return the file that tells who may queue what: the laboratory's own, or the shipped one."""
    own = folder(settings) / "permissions.yaml"
    return own if own.exists() else Path(__file__).with_name("permissions.yaml")


def redis_folder(settings: Settings) -> Path:
    """Return the folder of the queue's Redis."""
    return folder(settings) / "redis"


def keys(settings: Settings) -> Keys:
    """Return the keys of a laboratory; they are made the first time."""
    return Keys(folder(settings) / "keys")


def redis_url(settings: Settings, ports: Ports) -> str:
    """Return where the Redis of a laboratory is, with its password."""
    return f"redis://{redis_address(ports.redis, redis_folder(settings))}"


def manager_command(ports: Ports) -> list[str]:
    """Return the command of the manager, which stays in the foreground.

    It needs the settings and the address list of Channel Access in its environment.
    """
    return [sys.executable, "-m", "odmrlab.lab.queue.manager", *ports.words()]


def door_command(ports: Ports) -> list[str]:
    """Return the command of the door and the keeper, which stays in the foreground.

    It needs the same environment as the manager.
    """
    return [sys.executable, "-m", "odmrlab.lab.queue.door", *ports.words()]


def http_command(port: int) -> list[str]:
    """Return the command of the HTTP server, on the loopback address; the extra ``http`` brings it.

    It needs `http_environment`, and speaks for the operators whoever asks: the token is theirs.
    """
    server = Path(sys.executable).with_name("start-bluesky-httpserver")
    return [str(server), "--host", "127.0.0.1", "--port", str(port)]


def http_environment(settings: Settings, ports: Ports) -> dict[str, str]:
    """Return what the HTTP server needs in its environment, the token that is asked of clients too."""
    token = {"QSERVER_HTTP_SERVER_SINGLE_USER_API_KEY": keys(settings).token()}
    return client_environment(settings, ports, "operator") | token


def client_environment(settings: Settings, ports: Ports, group: str) -> dict[str, str]:
    """Return the environment in which ``qserver`` and other stock clients speak for a group."""
    if group not in GROUPS:
        raise ValueError(f"queue: group {group!r}; needs one of: {', '.join(GROUPS)}")
    return {
        "QSERVER_ZMQ_CONTROL_ADDRESS": f"tcp://127.0.0.1:{getattr(ports, group)}",
        "QSERVER_ZMQ_INFO_ADDRESS": f"tcp://127.0.0.1:{ports.console}",
        "QSERVER_ZMQ_PUBLIC_KEY": keys(settings).public(group),
    }
