"""What Redis keeps is mended before the manager reads it, and dead items get their true end."""

import json
import time

import pytest
from test_journal import a_run, keep, uid_of
from test_queue_redis import served

from odmrlab.lab.queue.ledger import COMPLETED, INTERRUPTED, Fate, Ledger, Presence
from odmrlab.lab.queue.stored import HISTORY, LOCK, QUARANTINE, QUEUE, RUNNING, Stored
from odmrlab.lab.record.journal import Journal
from odmrlab.lab.settings import Settings

ITEM = {"item_uid": "1", "item_type": "plan", "name": "odmr", "args": ["lockin", "magnet", 20, 65]}
ITEM |= {"user": "alice", "user_group": "operator", "meta": {"queue": {"item": "token"}}}


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    with served(tmp_path_factory.mktemp("redis"), decode_responses=True) as (_, client):
        yield client


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "queue").mkdir()
    return Settings(home=tmp_path)


@pytest.fixture
def stored(client, settings):
    client.delete(*client.keys("*") or ["nothing"])
    return Stored(client, settings)


@pytest.fixture
def ledger(settings):
    return Ledger(settings.home / "queue")


def run_item(client, **changes):
    item = ITEM | {"properties": {"time_start": time.time() - 1}} | changes
    client.set(RUNNING, json.dumps(item))
    return item


def history(client):
    return [json.loads(entry) for entry in client.lrange(HISTORY, 0, -1)]


def queue(client):
    return [json.loads(entry) for entry in client.lrange(QUEUE, 0, -1)]


def test_corrupted_entries_are_put_aside_and_the_others_stay(client, stored):
    client.rpush(QUEUE, json.dumps(ITEM), '{"item_uid": "2", "item_ty', "[1]", '{"item_uid": "3"}')
    client.rpush(HISTORY, "\x00garbage", json.dumps(ITEM))
    client.set(LOCK, "{broken")
    client.set("qs_default_plan_queue_mode", "[]")
    client.rpush(RUNNING, "of a wrong type")
    stored.settle()
    assert queue(client) == history(client) == [ITEM]
    assert client.llen(QUARANTINE) == 4
    assert len(client.keys(f"{QUARANTINE}_*")) == 3
    assert not client.exists(LOCK, RUNNING)


def test_an_item_that_had_ended_is_not_run_again(client, stored, ledger):
    run_item(client)
    ledger.begin()
    ledger.run("uid of its run", 12)
    ledger.end(COMPLETED)
    stored.settle()
    assert queue(client) == []
    (entry,) = history(client)
    assert entry["result"]["exit_status"] == "completed"
    assert entry["result"]["run_uids"] == ["uid of its run"]
    assert entry["result"]["scan_ids"] == [12]
    assert "properties" not in entry
    assert stored.running() is None


def test_an_item_that_failed_is_queued_again_with_the_reason_in_history(client, stored, ledger):
    run_item(client)
    ledger.begin()
    ledger.end("failed", "MoveError: the magnet quenched")
    stored.settle()
    (again,) = queue(client)
    assert again.pop("item_uid") != ITEM["item_uid"]
    assert again == {key: value for key, value in ITEM.items() if key != "item_uid"}
    assert history(client)[0]["result"]["msg"] == "MoveError: the magnet quenched"


def test_the_fate_of_an_earlier_plan_is_not_taken_for_that_of_a_later_one(stored, ledger, client):
    ledger.begin()
    ledger.end(COMPLETED)
    item = run_item(client, properties={"time_start": time.time() + 1})
    assert stored.fate(item).status == INTERRUPTED


def test_an_interrupted_run_that_can_be_gone_on_with_is_gone_on_with(
    client, stored, ledger, settings
):
    journal, run = Journal(settings.journal), a_run()[:-1]
    points = {"args": ["magnet", [1.0, 2.0, 3.0, 4.0]]}
    run[0][1].update({"plan_name": "odmr", "plan_pattern_args": points})
    keep(journal, run)
    journal.close()
    run_item(client)
    ledger.begin()
    ledger.run(uid_of(run), 1)
    stored.settle()
    (again,) = queue(client)
    assert (again["name"], again["kwargs"]) == ("resume", {"uid": uid_of(run)})
    assert again["meta"] == ITEM["meta"]
    (entry,) = history(client)
    assert entry["result"]["exit_status"] == "interrupted"
    assert entry["result"]["run_uids"] == [uid_of(run)]
    assert entry["result"]["msg"] == "the worker's process died"


def test_an_item_that_a_signal_ended_is_interrupted_and_says_so(client, stored, ledger):
    item = run_item(client)
    ledger.begin()
    ledger.end("aborted")
    fate = stored.fate(item)
    assert (fate.status, fate.reason[:32]) == (INTERRUPTED, "the worker was ended by a signal")


@pytest.mark.parametrize(
    ("name", "runs"),
    [("set_up", []), ("t1_against", ["a", "b"]), ("odmr", ["unknown"]), ("resume", ["a"])],
)
def test_what_cannot_be_gone_on_with_is_queued_again(name, runs, client, stored, ledger):
    run_item(client, name=name)
    ledger.begin()
    for number, run in enumerate(runs):
        ledger.run(run, number)
    stored.settle()
    assert [item["name"] for item in queue(client)] == [name]


def test_an_item_for_immediate_execution_is_not_queued(client, stored):
    run_item(client, properties={"time_start": time.time(), "immediate_execution": True})
    stored.settle()
    assert queue(client) == []
    assert history(client)[0]["result"]["exit_status"] == "interrupted"


def test_an_item_that_is_not_the_running_one_any_more_is_left_alone(client, stored):
    item = run_item(client)
    run_item(client, item_uid="another")
    assert not stored.end(item, Fate())
    assert history(client) == []
    assert stored.running()["item_uid"] == "another"


def test_a_worker_is_there_as_long_as_it_holds_its_lock(tmp_path):
    worker = Presence(tmp_path)
    assert not Presence(tmp_path).held()
    worker.take()
    assert Presence(tmp_path).held()
    with pytest.raises(BlockingIOError):
        Presence(tmp_path).take()
    worker.leave()
    assert not Presence(tmp_path).held()
