"""From nothing to a laboratory that is ready, or back to nothing with the reason."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial

from ..queue.service import folder as queue_folder
from ..queue.service import keys as queue_keys
from ..settings import Settings
from . import supervisor
from .doctor import hindrances
from .keys import catalogue_key
from .laboratory import Laboratory, folder_of
from .lookout import all_run, catalogue_answers, instruments_answer
from .reading_back import read_back
from .service import port_names, services
from .watch import NotReadyError, Watch

ORDERLY = 30.0  # s for everything to end; what is not gone then is killed

STEPS = {
    "services": all_run,
    "instruments": instruments_answer,
    "catalogue": catalogue_answers,
}

Progress = Callable[[str, str], None]  # name of a step, and what was found; "" when it begins


def up(
    settings: Settings, wanted: Laboratory, timeout: float, progress: Progress, fresh_ports: bool
) -> Laboratory:
    """Start a laboratory, and return it when it is ready.

    Args:
        settings: Of it.
        wanted: What shall run; its ports are chosen here.
        timeout: For all of it [s].
        progress: Told of every step.
        fresh_ports: Whether to forget the ports of the last time.

    Raises:
        NotReadyError: Naming the cause; nothing is left running then.
    """
    deadline = time.monotonic() + timeout
    laboratory = wanted.with_ports(port_names(wanted), settings, fresh_ports)
    progress("examination", "")
    if causes := hindrances(settings, laboratory):
        raise NotReadyError("\n         ".join(causes))
    laboratory.keep(settings)
    prepare(settings, laboratory)
    run = services(settings, laboratory)
    watch = Watch(settings, [item.name for item in run], deadline)
    try:
        supervisor.start(settings, laboratory.environment(settings), run)
        climb(settings, laboratory, watch, progress)
        (folder_of(settings) / supervisor.READY).touch()
    except BaseException:  # Ctrl-C, too
        supervisor.stop(settings, ORDERLY)
        raise
    return laboratory


def prepare(settings: Settings, laboratory: Laboratory) -> None:
    """Make the keys that are missing, and have the queue's environment opened."""
    catalogue_key(settings)
    if laboratory.queue:
        queue_keys(settings).token()
        (queue_folder(settings) / "closed").unlink(missing_ok=True)  # up means open


def climb(settings: Settings, laboratory: Laboratory, watch: Watch, progress: Progress) -> None:
    """Take one step after the other."""
    for name, look in STEPS.items():
        progress(name, "")
        progress(name, watch.until(partial(look, settings, laboratory)))
    progress("queue" if laboratory.queue else "one point", "")
    measured = measure if laboratory.queue else measure_alone
    uid = measured(settings, laboratory, watch, progress)
    value = watch.until(partial(read_back, settings, laboratory, uid))
    progress("one point", f"measured and read back: {value:g} V")


def measure(settings: Settings, laboratory: Laboratory, watch: Watch, progress: Progress) -> str:
    """Have the queue measure one point; returns the uid of the run."""
    # late: it takes a second to load
    from . import queued

    try:
        look = partial(queued.plans_are_allowed, settings, laboratory, watch.began("manager"))
        progress("queue", watch.until(look))
        progress("one point", "")
        item = watch.until(partial(queued.begin_point, settings, laboratory))
        return watch.until(partial(queued.end_point, settings, laboratory, item))
    except queued.HopelessError as error:
        raise NotReadyError(str(error)) from error


def measure_alone(settings: Settings, laboratory: Laboratory, watch: Watch, _: Progress) -> str:
    """Have one point measured where there is no queue; returns the uid of the run."""
    process = subprocess.Popen(
        [sys.executable, "-m", "odmrlab.lab.services.proof"],
        env=os.environ | laboratory.environment(settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        while process.poll() is None:
            watch.look("one point: not measured in time; needs more of it, see --timeout")
    finally:
        process.kill()
        said, trouble = process.communicate()
    if process.returncode:
        lines = (said.strip() or trouble.strip() or "ended without a word").splitlines()
        raise NotReadyError(f"one point: {lines[-1]}")
    return said.strip()
