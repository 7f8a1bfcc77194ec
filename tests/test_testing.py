"""The pytest plugin, in projects and processes of its own.

The other fixtures are used by the projects of the pages, see ``test_pages.py``.
"""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

import pytest
from test_journal import wait_for

from odmrlab.testing.ports import Ports

pytestmark = pytest.mark.timeout(400)  # of whole runs of pytest, on a machine that is busy

IOC = """\
from caproto.server import PVGroup, ioc_arg_parser, pvproperty, run

class Thermometer(PVGroup):
    temperature = pvproperty(value=4.2, name="Temperature")

options, run_options = ioc_arg_parser(default_prefix="", desc="A thermometer")
run(Thermometer(**options).pvdb, **run_options)
"""
MORE = """\
from odmrlab.plans import odmr

def test_run_and_fit_are_in_the_catalogue(odmr_lab, RE, catalog):
    odmr_lab.switch_on()
    RE(odmr(odmr_lab.lockin, odmr_lab.magnet, 20, 65, 21))
    assert catalog[-1].start["analysis_of"] == [catalog[-2].start["uid"]]
    assert len(catalog[-2]["primary"]["lockin_x"].read()) == 21

def test_instruments_that_hang_for_a_moment_cost_no_point(odmr_lab, RE, faults):
    odmr_lab.switch_on()
    RE.subscribe(lambda _, doc: faults.hang(1.0) if doc["seq_num"] == 9 else None, "event")
    RE(odmr(odmr_lab.lockin, odmr_lab.magnet, 20, 65, 21))
    assert 42 < odmr_lab.fit()["field"] < 43
"""

QUEUED = """\
def test_queued(odmr_lab, queue):
    item = {"item_type": "plan", "name": "odmr", "args": ["lockin", "magnet", 20, 65, 9]}
    queue.item_add(item)
    queue.queue_start()
    queue.wait_for_idle(timeout=100)
    (ended,) = queue.history_get()["items"]
    assert ended["result"]["exit_status"] == "completed"
    (uid,) = ended["result"]["run_uids"]
    found = odmr_lab.settings.journal.rglob(f"{uid}.jsonl")
    assert next(found).stat().st_size > 0
"""


@pytest.fixture
def project(tmp_path) -> Path:
    """Give the folder of an empty project."""
    return tmp_path


@pytest.fixture
def mark() -> str:
    """Give an environment variable that everything descending from a run inherits."""
    return f"ODMRLAB_TEST_MARK={uuid4()}"


def command(*words: str) -> list[str]:
    # zarr brings a plugin of its own, which takes as long as the test
    plugins = ["-p", "no:zarr", "-p", "no:cacheprovider"]
    return [sys.executable, "-m", "pytest", "-q", *plugins, *words]


def environment(mark: str) -> dict[str, str]:
    bare = {name: value for name, value in os.environ.items() if not name.startswith("EPICS_")}
    name, value = mark.split("=")
    return bare | {name: value}


def marked(mark: str) -> list[int]:
    """Return the processes that inherited a mark."""
    found = []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if mark.encode() in environ.read_bytes():
                found.append(int(environ.parent.name))
    return found


def test_laboratories_stand_side_by_side_and_nothing_is_left(project, mark):
    (project / "test_more.py").write_text(MORE)
    done = subprocess.run(
        command("-n", "2"),
        cwd=project,
        env=environment(mark),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "2 passed" in done.stdout, done.stdout
    assert not marked(mark)


@pytest.mark.skipif(not find_spec("odmrlab.lab.queue"), reason="needs the queue")
def test_plan_is_queued_run_and_on_record(project, mark):
    (project / "test_queue.py").write_text(QUEUED)
    done = subprocess.run(
        command(), cwd=project, env=environment(mark), capture_output=True, text=True, check=False
    )
    assert "1 passed" in done.stdout, done.stdout
    wait_for(lambda: not marked(mark), 120)  # the worker's shipper brings away what is left


def test_nothing_is_left_when_the_tests_are_killed(project, mark):
    (project / "ioc.py").write_text(IOC)
    (project / "test_mine.py").write_text(
        "def test_mine(odmr_lab, request):\n"
        "    odmr_lab.serve('ioc.py', '--prefix', 'T:')\n"
        "    open('there', 'w').close()\n"
        "    input()\n"
    )
    with subprocess.Popen(
        command("-s"), cwd=project, env=environment(mark), stdin=subprocess.PIPE
    ) as running:
        wait_for((project / "there").exists, 60)
        assert len(marked(mark)) >= 4
        running.send_signal(signal.SIGKILL)
    wait_for(lambda: not marked(mark), 20)


def test_a_run_that_does_not_use_it_loads_nothing_and_is_left_alone():
    code = (
        "import os, sys; before = dict(os.environ); import odmrlab.testing.plugin\n"
        "assert os.environ == before; print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert not loaded & {"numpy", "bluesky", "ophyd", "caproto", "pydantic", "tiled", "typer"}


def test_no_two_processes_have_the_same_ports():
    all_ports = [Ports() for _ in range(20)]
    blocks = {ports.laboratory for ports in all_ports}
    assert len(blocks) == 20
    for ports in all_ports:
        ports.close()
