"""A queue in a real manager, on Redis, with a worker at the instruments of a laboratory."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, Self

from bluesky_queueserver_api.comm_base import RequestFailedError, RequestTimeoutError
from bluesky_queueserver_api.zmq import REManagerAPI

from ..lab.queue.redis import redis_command
from ..lab.queue.service import (
    Ports,
    client_environment,
    door_command,
    keys,
    manager_command,
    redis_folder,
)
from ..lab.settings import Settings

START_TIME, STOP_TIME, LOOK_PERIOD = 120.0, 20.0, 0.1  # s, on a machine that is busy
NO_PLAN = "no_plan_of_this_name"


class QueueError(RuntimeError):
    """A queue that did not come up; the text is what its processes said."""


class Queue:
    """Redis, manager and door, from the start of a block to its end.

    Args:
        settings: Of the laboratory; environment variables tell the same to the processes.
        ports: Free ones of this process, six of them.
    """

    def __init__(self, settings: Settings, ports: list[int]):
        self._settings = settings
        names = [field.name for field in fields(Ports)]
        self._ports = Ports(**dict(zip(names, ports, strict=True)))
        keys(settings)  # made at set-up, before anybody needs them
        self._commands = {
            "redis": redis_command(self._ports.redis, redis_folder(settings)),
            "manager": manager_command(self._ports),
            "door": door_command(self._ports),
        }
        self._processes: list[subprocess.Popen] = []

    def __enter__(self) -> Self:
        """Start the processes; the queue takes items when the block begins.

        Raises:
            QueueError: When that takes longer than 120 s.
        """
        try:
            for name, command in self._commands.items():
                self._start(name, command)
            self._wait_until(self._takes_items)
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start(self, name: str, command: list[str]) -> None:
        with self._log(name).open("w") as log:
            process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", "odmrlab.testing.tether", *map(str, command)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=os.environ | {"PYTHONUNBUFFERED": "1"},
                start_new_session=True,
            )
        self._processes.append(process)

    def _log(self, name: str) -> Path:
        return self._settings.logs / f"queue-{name}.log"

    def client(self, group: str = "operator") -> Any:
        """Return the stock client, speaking for a group: ``observer``, ``operator``, ``expert``."""
        told = client_environment(self._settings, self._ports, group)
        return REManagerAPI(
            zmq_control_addr=told["QSERVER_ZMQ_CONTROL_ADDRESS"],
            zmq_info_addr=told["QSERVER_ZMQ_INFO_ADDRESS"],
            zmq_public_key=told["QSERVER_ZMQ_PUBLIC_KEY"],
        )

    def _wait_until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_TIME
        while not condition():
            if time.monotonic() > deadline:
                said = (f"{name}:\n{self._log(name).read_text()}" for name in self._commands)
                raise QueueError("\n".join([f"queue: not ready in {START_TIME:g} s", *said]))
            time.sleep(LOOK_PERIOD)

    def _takes_items(self) -> bool:
        """Return whether an item is looked at, and a worker is there for it."""
        client = self.client()
        try:
            if not client.status()["worker_environment_exists"]:
                return False
            client.item_add({"item_type": "plan", "name": NO_PLAN})
        except RequestFailedError as refusal:
            return NO_PLAN in str(refusal)
        except RequestTimeoutError:
            return False
        finally:
            client.close()
        raise QueueError("queue: took an item that is none; needs a door that refuses it")

    def __exit__(self, *_: object) -> None:
        for process in reversed(self._processes):
            process.terminate()
            process.communicate(timeout=STOP_TIME)
