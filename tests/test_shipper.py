"""Runs reach the catalogue, whoever dies on the way, and nobody is left behind."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from bluesky import RunEngine
from bluesky.plans import list_scan
from event_model import compose_run
from ophyd.sim import SynAxis
from test_journal import wait_for
from tiled.client.utils import ClientError

from odmrlab.lab.record import catalogue
from odmrlab.lab.record import shipper as shippers
from odmrlab.lab.record.journal import Journal, encode, read
from odmrlab.lab.record.shipper import Shipper, ShipperError, finished
from odmrlab.lab.settings import Settings

SESSION = """
from odmrlab.lab.settings import Settings
from odmrlab.lab.record.shipper import Shipper

settings = Settings()
shipper = Shipper(settings)

import os, signal
from bluesky import RunEngine
from bluesky.plans import list_scan
from odmrlab.lab.record.journal import Journal
from ophyd.sim import SynAxis

engine, motor = RunEngine(), SynAxis(name="motor")
engine.subscribe(Journal(settings.journal))
print(*(engine(list_scan([motor], motor, [0.0, 1.0, 2.0]))[0] for _ in range(2)), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
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


@pytest.fixture(scope="module")
def shipper(settings):
    """Give a shipper that is at work."""
    with Shipper(settings) as shipper:
        wait_for(lambda: "ships from" in shipper.log.read_text())
        yield shipper


@pytest.fixture
def journal(settings):
    journal = Journal(settings.journal)
    yield journal
    journal.close()


def a_run(journal: Journal, values: list, *, stop: bool = True, **key) -> Path:
    """Write the journal of a run and return its path."""
    run = compose_run()
    keys = {"x": {"source": "test", "dtype": "number", "shape": []} | key}
    stream = run.compose_descriptor(name="primary", data_keys=keys)
    journal("start", run.start_doc)
    journal("descriptor", stream.descriptor_doc)
    for value in values:
        journal("event", stream.compose_event(data={"x": value}, timestamps={"x": 0.0}))
    if stop:
        journal("stop", run.compose_stop())
    return journal.folder / f"{run.start_doc['uid']}.jsonl"


class a_stream:  # noqa: N801
    """A run whose events are made one by one."""

    def __init__(self, dtype: str = "number"):
        run = compose_run()
        keys = {"x": {"source": "test", "dtype": dtype, "shape": []}}
        self._stream = run.compose_descriptor(name="primary", data_keys=keys)
        self.documents = [("start", run.start_doc), ("descriptor", self._stream.descriptor_doc)]
        self.uid, self.stop, self.rows = run.start_doc["uid"], run.compose_stop, 0

    def event(self, x: float) -> dict:
        self.rows += 1
        return self._stream.compose_event(data={"x": x}, timestamps={"x": 0.0})


def test_a_run_is_in_the_catalogue_after_drain(journal, shipper, client):
    engine, motor = RunEngine(), SynAxis(name="motor")
    engine.subscribe(journal)
    (uid,) = engine(list_scan([motor], motor, [0.0, 1.0, 2.0]))
    shipper.drain()
    assert client[uid]["primary"]["motor"].read().tolist() == [0.0, 1.0, 2.0]
    (journal_file,) = (journal.folder / "shipped").glob(f"{uid}*")
    assert [name for name, _ in read(journal_file)] == [
        "start",
        "descriptor",
        *["event"] * 3,
        "stop",
    ]


def test_a_journal_shipped_twice_is_one_run(journal, shipper, client):
    path = a_run(journal, [1.0, 2.0])
    shipper.drain()
    client[path.stem].update_metadata({"note": "by hand"})
    (journal.folder / "shipped" / path.name).replace(path)
    shipper.drain()
    assert list(client).count(path.stem) == 1
    assert client[path.stem].metadata["note"] == "by hand"


def test_the_rest_of_a_damaged_journal_is_saved_as_failed(journal, shipper, client):
    damaged = a_run(journal, [1.0, 2.0], stop=False)
    damaged.write_bytes(damaged.read_bytes().replace(b'"x":1.0', b'"x":3.0'))
    journal("stop", stop_of(damaged.stem))
    sound = a_run(journal, [1.0])
    shipper.drain()
    quarantine = journal.folder / "quarantine"
    reason = (quarantine / f"{damaged.name}.reason").read_text()
    assert f"{damaged}, line 3: damaged (CRC32" in reason
    assert (quarantine / damaged.name).exists()
    run = client[damaged.stem]
    assert run["primary"]["x"].read().tolist() == [2.0]
    assert run.stop["exit_status"] == "fail"
    assert "line 3: damaged" in run.stop["reason"]
    assert sound.stem in client


def test_a_journal_without_its_start_is_kept_in_quarantine(journal, shipper, client):
    headless = journal.folder / "headless.jsonl"
    headless.write_bytes(b"00000000 garbage\n" + encode("stop", stop_of("headless")))
    shipper.drain()
    reason = (journal.folder / "quarantine" / "headless.jsonl.reason").read_text()
    assert "line 1: damaged" in reason
    assert "headless" not in client


def stop_of(uid: str) -> dict:
    return {"uid": f"stop-{uid}", "time": 0.0, "run_start": uid, "exit_status": "success"}


def test_a_run_that_the_catalogue_refuses_goes_to_quarantine(journal, shipper, client):
    refused = a_run(journal, [[], []], dtype="array", shape=[0])
    sound = a_run(journal, [1.0])
    shipper.drain()
    reason = (journal.folder / "quarantine" / f"{refused.name}.reason").read_text()
    assert "Unsupported PyArrow type" in reason
    assert refused.stem not in client
    assert sound.stem in client


def test_rows_are_there_while_the_run_goes_on(journal, shipper, client):
    run = a_stream()
    journal(*run.documents[0])
    journal(*run.documents[1])
    for rows in (2, 3):
        while run.rows < rows:
            journal("event", run.event(run.rows / 2))
        wait_for(lambda: rows_of(client, run.uid) == rows)  # noqa: B023
    assert "stop" not in client[run.uid].metadata
    journal("stop", run.stop())
    shipper.drain()
    assert client[run.uid]["primary"]["x"].read().tolist() == [0.0, 0.5, 1.0]
    assert client[run.uid].stop["exit_status"] == "success"


def test_a_column_that_changes_its_type_is_written_anew_at_the_end(journal, shipper, client):
    run = a_stream(dtype="integer")
    journal(*run.documents[0])
    journal(*run.documents[1])
    journal("event", run.event(1))
    wait_for(lambda: rows_of(client, run.uid) == 1)
    journal("event", run.event(2.5))
    wait_for(lambda: f"{run.uid}.jsonl: left for its end" in shipper.log.read_text())
    journal("stop", run.stop())
    shipper.drain()
    assert client[run.uid]["primary"]["x"].read().tolist() == [1.0, 2.5]


def rows_of(client, uid: str) -> int:
    """Count rows as a table: Tiled refuses a column that grows while it is being read."""
    run = catalogue.find_run(client, uid)
    try:
        return 0 if run is None else sum(catalogue.count_rows(run).get("primary", ()))
    except (KeyError, ClientError, ValueError):
        return 0  # it is being written anew; Tiled may find a table without its rows (ValueError)


def test_a_second_shipper_waits_and_leaves_with_its_session(settings, journal, shipper, client):
    with Shipper(settings) as second:
        path = a_run(journal, [1.0])
        second.drain()
        assert path.stem in client
    assert shipper.log.read_text().count("ships from") == 1


def test_a_shipper_that_cannot_live_is_reported(tmp_path, monkeypatch):
    monkeypatch.setattr(shippers, "MOST", 2)
    monkeypatch.setenv("ODMRLAB_JOURNAL_FSYNC", "never")
    settings = Settings(home=tmp_path, journal_fsync="second")
    with Shipper(settings) as shipper:
        a_run(Journal(settings.journal), [1.0])
        with pytest.raises(
            ShipperError, match=r"has died 2 times, 1 runs left; see .*shipper\.log"
        ):
            shipper.drain()
        assert "journal_fsync" in shipper.log.read_text()


def test_runs_of_a_killed_session_reach_the_catalogue(tmp_path):
    settings = Settings(home=tmp_path)
    catalogue.create(settings)
    session = subprocess.run(
        [sys.executable, "-c", SESSION],
        env=os.environ | {"ODMRLAB_HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert session.returncode == -signal.SIGKILL
    log = tmp_path / "logs" / "shipper.log"
    wait_for(lambda: "session ended" in log.read_text())
    assert not finished(settings.journal)
    with catalogue.connect(settings).context as context:
        client = catalogue.from_context(context)
        for uid in session.stdout.split():
            assert catalogue.count_rows(client[uid]) == {"primary": {3}}


def test_a_dead_run_is_shipped_also_when_nobody_waits_any_more(tmp_path, monkeypatch):
    """The look that closes it may be the last one for which there was time."""
    settings = Settings(home=tmp_path / "home")
    catalogue.create(settings)
    journal = Journal(settings.journal)
    a_run(journal, [1.0, 2.0], stop=False)
    journal.close()
    monkeypatch.setattr(shippers, "session_lives", lambda _: False)
    monkeypatch.setattr(shippers, "LAST_LOOKS", 0.0)
    shippers._carry(settings)
    assert not list(settings.journal.glob("*.jsonl"))
