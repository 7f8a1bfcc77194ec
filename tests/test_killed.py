"""Processes that are really killed, disks that are really out: nothing that was measured is lost."""

import os
import random
import signal
import sqlite3
import subprocess
import sys

import pytest
from event_model import DocumentNames, schema_validators
from test_journal import a_run, keep, uid_of, wait_for
from test_shipper import a_stream, rows_of

from odmrlab.lab.record import catalogue
from odmrlab.lab.record.journal import Journal, read
from odmrlab.lab.record.shipper import Shipper
from odmrlab.lab.record.tail import close_dead
from odmrlab.lab.settings import Settings

EVENTS = 3000

WRITER = """
import itertools, sys
from pathlib import Path
from odmrlab.lab.record.journal import Journal

run = sys.argv[2]
journal = Journal(Path(sys.argv[1]))
keys = {"x": {"source": "test", "dtype": "number", "shape": []}}
journal("start", {"uid": run, "time": 0.0})
journal("descriptor", {"uid": f"d-{run}", "run_start": run, "time": 0.0, "name": "primary",
                       "data_keys": keys, "hints": {}, "configuration": {}, "object_keys": {}})
for number in itertools.count(1):
    journal("event", {"uid": f"e{number}-{run}", "descriptor": f"d-{run}", "seq_num": number,
                      "time": 0.0, "data": {"x": number / 7}, "timestamps": {"x": 0.0},
                      "filled": {}})
    print(number, flush=True)
"""


@pytest.fixture(scope="module")
def settings(tmp_path_factory) -> Settings:
    settings = Settings(home=tmp_path_factory.mktemp("home"))
    catalogue.create(settings)
    return settings


@pytest.fixture(scope="module")
def client(settings):
    client = catalogue.connect(settings)
    yield client
    client.context.close()


@pytest.fixture
def shipper(settings):
    with Shipper(settings) as shipper:
        yield shipper


def acknowledged_by_a_writer_killed_at(event: int, settings: Settings, run: str) -> int:
    """Return how many events the writer had acknowledged when it was dead."""
    command = [sys.executable, "-c", WRITER, str(settings.journal), run]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        for line in writer.stdout:
            if int(line) == event:
                writer.kill()
                return event + len(writer.stdout.readlines())
    raise AssertionError("the writer ended by itself")


def test_no_acknowledged_event_of_a_killed_session_is_lost(settings, shipper, client):
    acknowledged = {}
    for seed in range(10):
        event = random.Random(seed).randrange(1, EVENTS)  # noqa: S311
        run = f"seed-{seed}"
        acknowledged[run] = acknowledged_by_a_writer_killed_at(event, settings, run)
    folder = settings.journal / "shipped"
    wait_for(lambda: all((folder / f"{run}.jsonl").exists() for run in acknowledged), 90)
    for run, events in acknowledged.items():
        documents = list(read(folder / f"{run}.jsonl"))
        stop = documents[-1][1]
        schema_validators[DocumentNames.stop].validate(stop)
        assert stop["num_events"]["primary"] >= events
        assert (stop["exit_status"], stop["run_start"]) == ("fail", run)
        assert "journal: process " in stop["reason"] and "died before the end" in stop["reason"]
        assert client[run].stop["reason"] == stop["reason"]
        assert not list(catalogue.differences(client[run], documents))


def test_a_shipper_that_was_killed_is_started_anew_and_goes_on(settings, client, caplog):
    journal, run = Journal(settings.journal), a_stream()
    for document in run.documents:
        journal(*document)
    with Shipper(settings) as shipper:
        for rows in (3, 5):
            while run.rows < rows:
                journal("event", run.event(run.rows / 2))
            wait_for(lambda: rows_of(client, run.uid) == rows)  # noqa: B023
            if rows == 3:
                shipper._process.send_signal(signal.SIGKILL)
        journal("stop", run.stop())
        shipper.drain()
    assert "shipper: died with status -9, is started anew" in caplog.text
    assert client[run.uid]["primary"]["x"].read().tolist() == [0.0, 0.5, 1.0, 1.5, 2.0]
    assert list(client).count(run.uid) == 1


def test_a_catalogue_that_cannot_be_written_is_waited_for(settings, shipper, client):
    journal, run, whole = Journal(settings.journal), a_stream(), a_run()
    for document in run.documents:
        journal(*document)
    journal("event", run.event(1.0))
    wait_for(lambda: rows_of(client, run.uid) == 1)
    with sqlite3.connect(settings.catalogue / "catalog.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        keep(journal, whole)
        wait_for(lambda: "needs to be writable again" in shipper.log.read_text())
        journal("event", run.event(2.0))
        other.execute("ROLLBACK")
    other.close()
    wait_for(lambda: rows_of(client, run.uid) == 2)
    journal("stop", run.stop())
    shipper.drain()
    assert client[run.uid]["primary"]["x"].read().tolist() == [1.0, 2.0]
    assert not list(catalogue.differences(client[uid_of(whole)], whole))
    assert not (settings.journal / "quarantine").exists()


def test_a_catalogue_without_a_place_is_waited_for(tmp_path):
    settings, documents = Settings(home=tmp_path), a_run()
    settings.catalogue.write_text("in the way")
    keep(Journal(settings.journal), documents)
    with Shipper(settings) as shipper:
        wait_for(lambda: "catalogue cannot be written" in shipper.log.read_text())
        settings.catalogue.unlink()
        shipper.drain()
    with catalogue.connect(settings).context as context:
        run = catalogue.from_context(context)[uid_of(documents)]
        assert not list(catalogue.differences(run, documents))


def test_a_run_is_never_closed_while_its_process_lives(tmp_path):
    journal, documents = Journal(tmp_path), a_run()
    path = keep(journal, documents[:3])
    assert not close_dead(path)
    assert list(read(path)) == documents[:3]
    keep_stop = documents[-1]
    journal(*keep_stop)
    assert not close_dead(path)
    assert list(read(path)) == [*documents[:3], keep_stop]


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_torn_tail_is_cut_when_a_dead_run_is_closed(tmp_path, cut):
    journal, documents = Journal(tmp_path), a_run()
    path = keep(journal, documents[:-1])
    journal.close()
    os.truncate(path, path.stat().st_size - cut)
    assert close_dead(path)
    *rest, (name, stop) = read(path)
    assert rest == documents[:-2]
    assert (name, stop["num_events"]) == ("stop", {"primary": 2})
    assert str(os.getpid()) in stop["reason"]


def test_an_empty_journal_is_left_to_its_writer(tmp_path):
    path = tmp_path / "run.jsonl"
    path.touch()
    assert not close_dead(path)
    assert not path.read_bytes()
