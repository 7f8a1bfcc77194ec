"""Whatever of the queue is killed: noticed, working again without a person, nothing run twice."""

import signal
import time
from typing import Any

import psutil
import pytest
from queue_laboratory import SAFE, QueueLaboratory
from test_journal import wait_for

from odmrlab.lab.queue.ledger import COMPLETED, Presence

SCAN = ("odmr", "lockin", "magnet", 20, 65)
NOTICED = 5.0  # s


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with QueueLaboratory(tmp_path_factory.mktemp("home"), speed=20) as lab:
        yield lab


@pytest.fixture(autouse=True)
def queued(lab):
    """Give a laboratory whose queue runs a scan, with another one behind it."""
    lab.wait_until_idle()
    lab.ask("operator", "queue_clear")
    lab.ask("expert", "history_clear")
    lab.add("set_up", {"rf.output": "On", "laser.shutter": "Open", "magnet.field": 20.0})
    lab.add(*SCAN, num=60)
    lab.add(*SCAN, num=8)
    lab.ask("operator", "queue_start")
    lab.wait_for_scan(points=4)


def measured(lab: QueueLaboratory, *runs: str) -> list[float]:
    """Give the fields of the primary events of runs."""
    found = []
    for run in runs:
        primary = [d["uid"] for name, d in lab.documents(run) if d.get("name") == "primary"]
        events = [d["data"] for name, d in lab.documents(run) if d.get("descriptor") in primary]
        found += [event["magnet_field"] for event in events]
    return found


def results(lab: QueueLaboratory) -> list[tuple[str, str]]:
    return [(entry["name"], entry["result"]["exit_status"]) for entry in lab.history()]


def queue(lab: QueueLaboratory) -> list[dict[str, Any]]:
    return lab.ask("observer", "queue_get")["items"]


def worker(lab: QueueLaboratory) -> psutil.Process:
    return psutil.Process(int((lab.settings.home / "queue" / "worker.lock").read_text()))


def gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def goes_on_where_it_was(lab: QueueLaboratory) -> None:
    """Check that the interrupted scan is marked, its rest queued first, and measured when asked."""
    lab.wait_until_idle(ended=2)
    assert results(lab) == [("set_up", "completed"), ("odmr", "interrupted")]
    result = lab.history()[-1]["result"]
    (run,) = result["run_uids"]
    assert result["msg"]
    assert [item["name"] for item in queue(lab)] == ["resume", "odmr"]
    assert queue(lab)[0]["kwargs"] == {"uid": run}
    wait_for(lambda: lab.bench() == SAFE)
    lab.ask("operator", "queue_start")
    lab.wait_until_idle(ended=4)
    assert results(lab)[2:] == [("resume", "completed"), ("odmr", "completed")]
    (rest,) = lab.history()[2]["result"]["run_uids"]
    fields = measured(lab, run, rest)
    assert len(fields) == 60
    assert fields == sorted(set(fields))


def history_uid(lab: QueueLaboratory) -> str:
    return lab.ask("observer", "status")["plan_history_uid"]


def test_a_killed_worker(lab):
    before = history_uid(lab)
    worker(lab).kill()
    began = time.monotonic()
    wait_for(lambda: len(lab.history()) == 2)
    assert time.monotonic() - began < NOTICED
    wait_for(lambda: history_uid(lab) != before)  # stock clients ask for the history only then
    assert len(lab.history()) == 2
    goes_on_where_it_was(lab)


def test_a_redis_that_was_killed_and_is_back_before_the_plan_ends(lab):
    lab.kill("redis")
    lab.start("redis")
    lab.wait_until_idle(ended=3)
    assert results(lab) == [("set_up", "completed"), ("odmr", "completed"), ("odmr", "completed")]
    assert queue(lab) == []


def test_a_redis_that_is_down_when_the_plan_ends(lab):
    lab.kill("redis")
    wait_for(lambda: lab.last().status == COMPLETED)
    lab.start("redis")
    lab.wait_until_idle(ended=3)
    assert results(lab) == [("set_up", "completed"), ("odmr", "completed"), ("odmr", "completed")]
    assert queue(lab) == []


def test_a_killed_manager_process(lab):
    family = psutil.Process(lab.processes["manager"].pid).children()
    (manager,) = (child for child in family if child != worker(lab))
    manager.kill()
    lab.wait_until_idle(ended=3)
    assert results(lab) == [("set_up", "completed"), ("odmr", "completed"), ("odmr", "completed")]


def test_a_killed_top_process_leaves_no_orphans(lab):
    orphans = psutil.Process(lab.processes["manager"].pid).children()
    lab.kill("manager")
    lab.start("manager")
    wait_for(lambda: all(map(gone, orphans)))
    goes_on_where_it_was(lab)


def test_the_whole_tree_terminated(lab):
    (run,) = lab.last().runs
    began = time.monotonic()
    for name in ("door", "manager", "redis"):
        lab.kill(name, signal.SIGTERM)
    assert time.monotonic() - began < 20
    assert not Presence(lab.settings.home / "queue").held()
    stop = lab.documents(run)[-1][1]
    assert (stop["exit_status"], stop["reason"]) == ("abort", "ended by SIGTERM")
    for name in ("redis", "manager", "door"):
        lab.start(name)
    goes_on_where_it_was(lab)
