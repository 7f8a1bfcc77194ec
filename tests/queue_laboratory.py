"""A laboratory with a queue in a folder of its own, whose processes a test may kill."""

import io
import json
import os
import signal
import subprocess
import sys
from contextlib import redirect_stdout, suppress
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any, Self
from unittest.mock import patch

import psutil
from bluesky_queueserver.manager import qserver_cli
from bluesky_queueserver.manager.comms import (
    CommTimeoutError,
    ZMQCommSendThreads,
    zmq_single_request,
)
from laboratory import free_port
from test_journal import wait_for

from odmrlab.lab.queue.ledger import INTERRUPTED, Fate, Ledger
from odmrlab.lab.queue.redis import redis_command
from odmrlab.lab.queue.service import (
    Ports,
    client_environment,
    door_command,
    folder,
    keys,
    manager_command,
    redis_folder,
)
from odmrlab.lab.record.recorded import begins, journals
from odmrlab.lab.record.tail import Tail
from odmrlab.lab.settings import Settings

PREFIX = "Q:"
SAFE = {"rf_output": "Off", "laser_shutter": "Closed", "magnet_ramping": "No"}
PATIENCE = 30  # s for an answer, on a machine that is busy


class QueueLaboratory:
    """IOCs, Redis, manager and door, from the start of a block to its end.

    Args:
        home: Of the laboratory.
        speed: Laboratory seconds per second.
    """

    def __init__(self, home: Path, speed: float):
        self.settings = Settings(home=home, prefix=PREFIX)
        self.ports = Ports(**{field.name: free_port() for field in fields(Ports)})
        self.ioc_port = free_port()
        self.environment = os.environ | {
            "ODMRLAB_HOME": str(home),
            "ODMRLAB_PREFIX": PREFIX,
            "EPICS_CA_ADDR_LIST": f"127.0.0.1:{self.ioc_port}",
            "EPICS_CA_AUTO_ADDR_LIST": "NO",
            "EPICS_CAS_AUTO_BEACON_ADDR_LIST": "NO",
        }
        ioc = [sys.executable, "-m", "odmrlab.ioc", "--prefix", PREFIX, "--seed", "7"]
        keys(self.settings)  # made at set-up, before anybody needs them
        self.commands = {
            "ioc": [*ioc, "--port", str(self.ioc_port), "--speed", str(speed)],
            "redis": redis_command(self.ports.redis, redis_folder(self.settings)),
            "manager": manager_command(self.ports),
            "door": door_command(self.ports),
        }
        self.processes: dict[str, subprocess.Popen] = {}

    def start(self, name: str) -> None:
        """Start a process, as a supervisor would."""
        with self.log(name).open("a") as log:
            self.processes[name] = subprocess.Popen(
                self.commands[name], env=self.environment, stdout=log, stderr=log
            )

    def log(self, name: str) -> Path:
        return self.settings.home / f"{name}.log"

    def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        """Send a signal to a process, and wait for its end."""
        self.processes[name].send_signal(number)
        self.processes[name].wait(20)

    def __enter__(self) -> Self:
        for name in self.commands:
            self.start(name)
        try:
            wait_for(self.ready, 280)
            wait_for(self.takes_items, 120)
        except BaseException as error:
            self.__exit__(None, error, None)
            raise
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        for name in reversed(self.commands):
            process = self.processes[name]
            if process.poll() is None:
                process.terminate()
                process.wait(20)
        if error is not None:
            print(*(f"{name}:\n{self.log(name).read_text()[-6000:]}" for name in self.commands))

    def ready(self) -> bool:
        """Whether nothing is run, and a plan could be."""
        with suppress(RuntimeError, CommTimeoutError):
            status = self.ask("observer", "status")
            return status["manager_state"] == "idle" and status["worker_environment_exists"]
        return False

    def takes_items(self) -> bool:
        """Whether the door tries items out already."""
        try:
            self.add("no_plan")
        except RuntimeError as refusal:
            return "no plan of group" in str(refusal)
        raise AssertionError("taken")

    def ask(self, group: str, method: str, **params: Any) -> dict[str, Any]:
        """Send a request in the stock client's way; give the reply, whatever it says.

        Raises:
            RuntimeError: There is none, or it is a failure.
        """
        address = client_environment(self.settings, self.ports, group)
        client = ZMQCommSendThreads(
            zmq_server_address=address["QSERVER_ZMQ_CONTROL_ADDRESS"],
            server_public_key=address["QSERVER_ZMQ_PUBLIC_KEY"],
            timeout_recv=1000 * PATIENCE,
        )
        try:
            reply = client.send_message(method=method, params=params or None)
        finally:
            client.close()
        if not reply.get("success", True):
            raise RuntimeError(reply["msg"])
        return reply

    def add(self, name: str, *args: Any, group: str = "operator", **kwargs: Any) -> dict[str, Any]:
        """Queue a plan."""
        item = {"item_type": "plan", "name": name, "args": list(args), "kwargs": kwargs}
        return self.ask(group, "queue_item_add", item=item, user="alice", user_group=group)

    def history(self) -> list[dict[str, Any]]:
        return self.ask("observer", "history_get")["items"]

    def wait_until(self, manager: str, engine: str) -> None:
        """Wait until manager and RunEngine are in these states."""

        def there() -> bool:
            status = self.ask("observer", "status")
            return (status["manager_state"], status["re_state"]) == (manager, engine)

        wait_for(there, 90)

    def last(self) -> Fate:
        """Give what the worker notes of its last plan."""
        return Ledger(folder(self.settings)).last()

    def wait_for_scan(self, points: int = 0) -> str:
        """Wait until a scan runs that has taken so many points; give its run."""
        wait_for(lambda: self.last().runs and self.last().status == INTERRUPTED, 90)
        (run,) = self.last().runs
        wait_for(lambda: sum(name == "event" for name, _ in self.documents(run)) > points, 90)
        self.wait_until("executing_queue", "running")
        return run

    def wait_until_idle(self, ended: int = 0) -> None:
        """Wait until nothing runs, the worker is there, and so many items are in the history."""
        wait_for(lambda: self.ready() and len(self.history()) >= ended, 240)

    def documents(self, run: str) -> list[tuple[str, dict[str, Any]]]:
        """Give the documents of a run that the journal has, also while it is written."""
        found = (path for path in journals(self.settings.journal) if begins(path, run))
        tail = Tail(next(found))
        try:
            return list(tail.news())
        finally:
            tail.close()

    def bench(self) -> dict[str, Any]:
        """Give what of the bench has to be safe, asked with the stock command line client."""
        names = {"rf_output": "Rf:Output", "laser_shutter": "Laser:Shutter"}
        names |= {"magnet_ramping": "Magnet:Ramping"}
        command = [Path(sys.executable).with_name("caproto-get"), "--terse", "--no-repeater"]
        told = subprocess.run(
            [*command, *(f"{PREFIX}{suffix}" for suffix in names.values())],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        ).stdout.split()
        return dict(zip(names, told, strict=True))

    def listening(self) -> list[str]:
        """Give the addresses on which its processes listen."""
        parents = [psutil.Process(process.pid) for process in self.processes.values()]
        family = [*parents, *(child for one in parents for child in one.children(recursive=True))]
        return [
            connection.laddr.ip
            for process in family
            for connection in process.net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN
        ]

    def qserver(self, group: str, *words: str) -> str:
        """Run the stock client for a group, in this process; give what it prints."""
        said = io.StringIO()
        environment = client_environment(self.settings, self.ports, group)
        with (
            patch.dict(os.environ, environment),
            patch.object(sys, "argv", ["qserver", *words]),
            patch.object(qserver_cli, "zmq_single_request", patiently),
            redirect_stdout(said),
        ):
            qserver_cli.qserver()
        return said.getvalue()


patiently = partial(zmq_single_request, timeout=1000 * PATIENCE)


def plan(name: str, *args: Any, **kwargs: Any) -> str:
    """Return an item as the stock client takes it."""
    return json.dumps({"name": name, "args": list(args), "kwargs": kwargs})
