"""The daemon of a laboratory: supervisord keeps its services running, and ends with them.

It listens on a socket in the folder of the services, for this user alone. Its configuration names
everything relative to that folder, so that no path has to be quoted.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from errno import ECONNRESET
from http.client import HTTPException
from pathlib import Path
from shlex import quote
from typing import Any
from xmlrpc.client import Fault, ServerProxy

import psutil
from supervisor.xmlrpc import SupervisorTransport

from ..settings import Settings, writable_folder
from .laboratory import LaboratoryError, folder_of, keep_commands
from .service import Service

SOCKET, PID, CONFIGURATION = "supervisor.sock", "supervisor.pid", "supervisor.conf"
READY = "ready"  # file that is there once a start has come to its end
MARK = "ODMRLAB_SUPERVISED"  # in the environment of all that the daemon starts: the home
LONGEST_SOCKET = 100  # bytes of its path; kernels take 104 to 108
LATELY = 50_000  # bytes of a log
START_TIME = 60.0  # s for the daemon to answer, on a machine that is busy
STEADY = 1  # s that a service must live to count as started
RETRIES = 100  # with pauses of 1, 2, 3 ... s

DAEMON = """\
[unix_http_server]
file = {socket}
chmod = 0600

[supervisord]
nodaemon = true
silent = true
user = {user}
logfile = {logs}/supervisor.log
logfile_maxbytes = 1MB
logfile_backups = 2
pidfile = {pid}

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
"""

PROGRAM = """
[program:{name}]
command = {python} -m odmrlab.lab.services.launch {name}
priority = {stage}
startsecs = {steady}
startretries = {retries}
autorestart = true
stopwaitsecs = {grace:.0f}
killasgroup = true
redirect_stderr = true
stdout_logfile = {logs}/{name}.log
stdout_logfile_maxbytes = 5MB
stdout_logfile_backups = 3
"""


@dataclass(frozen=True)
class State:
    """What the daemon knows of a service.

    Attributes:
        word: RUNNING, STARTING, BACKOFF (waits to try again), FATAL (given up), ...
        since: When it came to that [s since 1970].
        pid: 0 when it does not run.
    """

    name: str
    word: str
    since: float
    pid: int


def start(settings: Settings, environment: dict[str, str], services: Sequence[Service]) -> None:
    """Start the daemon, which starts the services; what becomes of them, `states` tells.

    Raises:
        LaboratoryError: When it does not come up.
    """
    folder = writable_folder(folder_of(settings), "services")
    writable_folder(log_of(settings, "supervisor").parent, "logs")
    clean(settings)
    keep_commands(
        settings,
        {
            item.name: {"command": item.command, "environment": item.environment}
            for item in services
        },
    )
    (folder / CONFIGURATION).write_text(configuration(services))
    daemon = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "supervisor.supervisord", "--configuration", CONFIGURATION],
        cwd=folder,
        env=os.environ | environment | {MARK: str(settings.home)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=(log := (folder / "supervisor.err").open("w")),
        start_new_session=True,
    )
    log.close()
    deadline = time.monotonic() + START_TIME
    while not is_up(settings):
        if daemon.poll() is not None or time.monotonic() > deadline:
            daemon.kill()
            lines = (folder / "supervisor.err").read_text().strip().splitlines()
            raise LaboratoryError(f"supervisor: {lines[-1] if lines else 'silent'}")
        time.sleep(0.05)


def configuration(services: Sequence[Service]) -> str:
    """Return the text of the daemon's configuration."""
    logs = "../logs/services"
    text = DAEMON.format(socket=SOCKET, pid=PID, logs=logs, user=os.getuid())
    python = quote(sys.executable).replace("%", "%%")
    for item in services:
        text += PROGRAM.format(
            name=item.name,
            python=python,
            stage=item.stage,
            grace=item.grace,
            steady=STEADY,
            retries=RETRIES,
            logs=logs,
        )
    return text


def log_of(settings: Settings, name: str) -> Path:
    """Return the log of a service, or of the supervisor."""
    return settings.logs / "services" / f"{name}.log"


def last_line(settings: Settings, name: str, since: int = 0) -> str:
    """Return the last line that a service has written into its log.

    Args:
        settings: Of this laboratory.
        name: Of the service.
        since: Place in the log before which nothing counts [bytes].
    """
    lines = said(settings, name, since).split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def said(settings: Settings, name: str, since: int = 0) -> str:
    """Return what a service has written into its log lately, from a place in the log on [bytes]."""
    try:
        with log_of(settings, name).open("rb") as log:
            log.seek(max(since, log.seek(0, os.SEEK_END) - LATELY))
            return log.read().decode(errors="replace")
    except FileNotFoundError:
        return ""


def is_up(settings: Settings) -> bool:
    """Tell whether the daemon of a laboratory answers."""
    with suppress(OSError, Fault), daemon_of(settings) as daemon:
        return daemon.getState()["statename"] == "RUNNING"
    return False


def was_ready(settings: Settings) -> bool:
    """Tell whether the start of a laboratory has come to its end."""
    return (folder_of(settings) / READY).exists()


def states(settings: Settings) -> list[State]:
    """Return the states of all services, in the order in which they were started.

    Raises:
        OSError: When the daemon does not answer.
    """
    with daemon_of(settings) as daemon:
        found = daemon.getAllProcessInfo()
    return [
        State(
            item["name"],
            item["statename"],
            max(item["start"], item["stop"]) or item["now"],
            item["pid"],
        )
        for item in found
    ]


def stop(settings: Settings, timeout: float) -> list[str]:
    """End the daemon with its services, those first that were started last.

    Args:
        settings: Of this laboratory.
        timeout: For all of them to end in order [s]; then they are killed.

    Returns:
        What had to be killed.
    """
    with suppress(OSError, Fault), daemon_of(settings) as daemon:
        daemon.shutdown()
    names = [] if is_over(settings, timeout) else kill(marked(settings))
    clean(settings)
    return names


def clean(settings: Settings) -> None:
    """Take away what a daemon leaves in the folder of the services."""
    for name in (SOCKET, PID, CONFIGURATION, READY, "commands.json", "supervisor.err"):
        (folder_of(settings) / name).unlink(missing_ok=True)


def is_over(settings: Settings, timeout: float) -> bool:
    """Wait until nothing of a laboratory runs; tell whether it came to that in time [s]."""
    deadline = time.monotonic() + timeout
    while marked(settings):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def end_what_is_left(settings: Settings, timeout: float) -> list[str]:
    """Wait for what a killed daemon has left, and kill what does not end by itself in time [s].

    Returns:
        What there was.
    """
    names = [f"{process.name()} ({process.pid})" for process in marked(settings)]
    if names and not is_over(settings, timeout):
        kill(marked(settings))
    return names


def kill(processes: list[psutil.Process]) -> list[str]:
    """Kill processes; returns what they were."""
    names = []
    for process in processes:
        with suppress(psutil.Error):
            names.append(f"{process.name()} ({process.pid})")
            process.kill()
    return names


def marked(settings: Settings) -> list[psutil.Process]:
    """Return the daemon of a laboratory and all that it has started, whether it lives or not."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get(MARK) == str(settings.home):
                found.append(process)
    return found


@contextmanager
def daemon_of(settings: Settings) -> Iterator[Any]:
    """Give what the daemon can be asked.

    Raises:
        OSError: From the block, when there is no daemon or it is killed while it answers.
    """
    address = f"unix://{folder_of(settings) / SOCKET}"
    transport = SupervisorTransport(serverurl=address)
    try:
        yield ServerProxy("http://localhost", transport=transport).supervisor
    except HTTPException as error:
        raise ConnectionResetError(ECONNRESET, "killed while it answered") from error
    finally:
        transport.close()
