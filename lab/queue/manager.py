"""The queue server's manager, with Redis and keys of this laboratory, ended in order.

It is the stock one, in the foreground. Added is what it lacks: corrupted entries do not keep it
from starting, an item whose worker is dead gets its true end, no process is left behind by one that
was killed, and SIGTERM aborts the plan in order.
"""

import importlib
import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import yaml

from ..settings import Settings
from .keys import MANAGER, hide, write_private
from .ledger import Presence
from .redis import password, redis_address
from .service import LOG_FORMAT, Ports, folder, keys, permissions, redis_folder

log = logging.getLogger("odmrlab.lab.queue.manager")  # __name__ is __main__

STARTUP = "odmrlab.lab.queue.worker"
LAYER = "OPHYD_CONTROL_LAYER"
FORKABLE = (
    "bluesky_queueserver.manager.start_manager",
    "odmrlab.plans",
    "odmrlab.analysis.fit_series",
    "odmrlab.lab.live",
    "odmrlab.lab.record.road",
    "odmrlab.lab.record.shipper",
)
ENDING = {signal.SIGTERM, signal.SIGINT}
CLEANING_TIME = 8.0  # s for the worker to abort its plan and leave
LOOK_PERIOD = 0.2  # s


def main(words: list[str]) -> None:
    """Run the manager until a signal ends it."""
    logging.basicConfig(format=LOG_FORMAT)
    logging.getLogger("odmrlab").setLevel(logging.INFO)
    settings, ports = Settings(), Ports.parsed("manager", words)
    secret = keys(settings).secret(MANAGER)
    hide(password(redis_folder(settings)))
    presence = Presence(folder(settings))
    leave_no_worker(presence)
    preload()
    from .stored import opened

    with opened(settings, ports) as stored:
        stored.settle()
    multiprocessing.set_start_method("fork")  # the queue server's processes share pipes
    os.register_at_fork(after_in_child=tether)
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)  # the stock handler kills the worker
    threading.Thread(target=end_in_order, args=(presence,), daemon=True).start()
    os.environ["QSERVER_ZMQ_PRIVATE_KEY_FOR_SERVER"] = secret
    sys.argv[1:] = ["--config", str(configuration(settings, ports))]
    from bluesky_queueserver.manager.start_manager import start_manager

    sys.exit(start_manager())


def preload() -> None:
    """Import what takes a worker long and may be forked: all but clients of Channel Access."""
    chosen = os.environ.get(LAYER)
    os.environ[LAYER] = "dummy"  # of ophyd, which would start the threads of a client
    for name in FORKABLE:
        importlib.import_module(name)
    os.environ.pop(LAYER)
    if chosen is not None:
        os.environ[LAYER] = chosen


def configuration(settings: Settings, ports: Ports) -> Path:
    """Write the configuration of the stock manager, and return its file."""
    place = folder(settings)
    written = {
        "network": {
            "zmq_control_addr": f"tcp://127.0.0.1:{ports.manager}",
            "zmq_info_addr": f"tcp://127.0.0.1:{ports.console}",
            "zmq_publish_console": True,
            "zmq_encoding": "json",
            "redis_addr": redis_address(ports.redis, redis_folder(settings)),
        },
        "startup": {
            "startup_module": STARTUP,
            "existing_plans_and_devices_path": str(place / "existing_plans_and_devices.yaml"),
            "user_group_permissions_path": str(permissions(settings)),
            "device_max_depth": 2,
        },
    }
    write_private(place / "manager.yaml", yaml.safe_dump(written))
    return place / "manager.yaml"


def leave_no_worker(presence: Presence) -> None:
    """End a worker that an earlier manager left behind: in order, and else by force."""
    for number, patience in ((signal.SIGTERM, CLEANING_TIME), (signal.SIGKILL, CLEANING_TIME)):
        if not presence.held():
            return
        log.warning("queue: a worker of an earlier manager lives; %s", number.name)
        with suppress(ProcessLookupError):
            presence.signal(number)
        wait_until_gone(presence, patience)


def wait_until_gone(presence: Presence, patience: float) -> None:
    """Wait until no worker lives, for some time [s]."""
    deadline = time.monotonic() + patience
    while presence.held() and time.monotonic() < deadline:
        time.sleep(LOOK_PERIOD)


def tether() -> None:
    """Have a forked process end in order when the one that forked it is dead."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # the worker's start-up module knows better
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends all
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(LOOK_PERIOD)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True, name="tether").start()


def end_in_order(presence: Presence) -> None:
    """Wait for a signal; have the worker abort its plan, and end everything."""
    number = signal.sigwait(ENDING)
    log.info("queue: %s; the worker cleans up", signal.Signals(number).name)
    try:
        with suppress(ProcessLookupError):
            presence.signal(signal.SIGTERM)
        wait_until_gone(presence, CLEANING_TIME)
    finally:  # whatever became of the folder
        for child in multiprocessing.active_children():
            child.kill()
        os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
