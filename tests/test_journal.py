"""Every document is on disk before anyone sees it, and damage is found and placed."""

import json
import logging
import math
import os
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest
from bluesky import RunEngine
from bluesky.plans import list_scan
from event_model import compose_run
from ophyd.sim import SynAxis

from odmrlab.lab.record.journal import Journal, JournalError, is_finished, read
from odmrlab.lab.settings import UnwritableError


@pytest.fixture
def journal(tmp_path):
    journal = Journal(tmp_path)
    yield journal
    journal.close()


def a_run(events: int = 3) -> list:
    run = compose_run()
    keys = {"x": {"source": "test", "dtype": "number", "shape": []}}
    stream = run.compose_descriptor(name="primary", data_keys=keys)
    readings = [
        stream.compose_event(data={"x": float(i)}, timestamps={"x": 0.0}) for i in range(events)
    ]
    return [
        ("start", run.start_doc),
        ("descriptor", stream.descriptor_doc),
        *(("event", event) for event in readings),
        ("stop", run.compose_stop()),
    ]


def wait_for(condition: Callable[[], object], timeout: float = 40.0) -> None:
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


def uid_of(documents: list) -> str:
    return documents[0][1]["uid"]


def keep(journal: Journal, documents: list):
    for name, document in documents:
        journal(name, document)
    return journal.folder / f"{uid_of(documents)}.jsonl"


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_a_run_reads_back_as_it_was(journal):
    documents = a_run()
    path = keep(journal, documents)
    assert list(read(path)) == documents
    assert is_finished(path)


def test_the_runengine_writes_through_it(journal):
    seen = []
    engine = RunEngine()
    engine.subscribe(journal)
    engine.subscribe(lambda *document: seen.append(document))
    motor = SynAxis(name="motor")
    (uid,) = engine(list_scan([motor], motor, [0.0, 0.5, 1.0]))
    # JSON knows lists only
    as_lists = [tuple(document) for document in json.loads(json.dumps(seen))]
    assert list(read(journal.folder / f"{uid}.jsonl")) == as_lists


@pytest.fixture
def synced(monkeypatch):
    """Collect the sizes of files when they are synchronised; the first one is of the folder."""
    sizes = []
    monkeypatch.setattr(os, "fsync", lambda file: sizes.append(os.fstat(file).st_size))
    return sizes


def test_each_document_is_on_the_disk_before_the_call_returns_if_asked(tmp_path, synced):
    path = keep(Journal(tmp_path, fsync="always"), a_run())
    sizes = np.cumsum([len(line) for line in path.read_bytes().splitlines(keepends=True)])
    assert synced[1:] == sizes.tolist()


def test_start_and_stop_are_on_the_disk_at_once_and_the_rest_within_a_period(
    tmp_path, synced, monkeypatch
):
    monkeypatch.setattr("odmrlab.lab.record.journal.SYNC_PERIOD", 0.0)
    journal, documents = Journal(tmp_path), a_run()
    journal(*documents[0])
    assert len(synced) == 2
    for document in documents[1:-1]:
        journal(*document)
    path = tmp_path / f"{uid_of(documents)}.jsonl"
    wait_for(lambda: path.stat().st_size in synced)
    journal(*documents[-1])
    assert synced[-1] == path.stat().st_size


def test_a_disk_that_fails_behind_our_back_fails_the_next_document(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("odmrlab.lab.record.journal.SYNC_PERIOD", 0.0)
    journal, documents = Journal(tmp_path), a_run()
    journal(*documents[0])

    def broken(file):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    journal(*documents[1])
    wait_for(lambda: "not on disk" in caplog.text)
    with pytest.raises(OSError, match="Input/output error"):
        journal(*documents[2])


def test_interleaved_runs_have_a_file_each(journal):
    first, second = a_run(), a_run()
    for documents in zip(first, second, strict=True):
        for name, document in documents:
            journal(name, document)
    for documents in (first, second):
        assert list(read(journal.folder / f"{uid_of(documents)}.jsonl")) == documents


def test_runs_of_many_threads_stay_whole(journal):
    runs = [a_run(20) for _ in range(8)]
    threads = [threading.Thread(target=keep, args=(journal, run)) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for documents in runs:
        assert list(read(journal.folder / f"{uid_of(documents)}.jsonl")) == documents


def test_files_are_closed_at_the_stop(journal):
    before = open_files()
    for _ in range(3):
        keep(journal, a_run())
    assert open_files() == before


def test_nan_comes_back_as_nan(journal):
    documents = a_run(1)
    documents[2][1]["data"]["x"] = math.nan
    _, event = list(read(keep(journal, documents)))[2]
    assert math.isnan(event["data"]["x"])


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (np.float64(1.0), "numpy.float64"),
        (np.int64(1), "numpy.int64"),
        (np.zeros(2), "numpy.ndarray"),
        (b"x", "builtins.bytes"),
    ],
)
def test_what_is_not_plain_json_is_refused_with_its_key(journal, value, kind):
    documents = a_run(1)
    documents[2][1]["data"]["x"] = [0.0, value]
    with pytest.raises(JournalError) as refusal:
        keep(journal, documents)
    sentence = f"journal: event document holds {kind} at data.x.1; needs plain JSON"
    assert str(refusal.value) == sentence
    assert [name for name, _ in read(journal.folder / f"{uid_of(documents)}.jsonl")] == [
        "start",
        "descriptor",
    ]


def test_a_key_that_is_no_text_is_refused(journal):
    with pytest.raises(JournalError, match="holds the key 1 in settings; needs plain JSON"):
        journal("start", {"uid": "a", "time": 0.0, "settings": {1: 2}})


@pytest.mark.parametrize("uid", ["../a", "a/b", ".hidden", "", "a\n", "ä", "x" * 200])
def test_a_uid_that_is_no_safe_name_is_refused(journal, uid):
    with pytest.raises(JournalError, match="needs letters, digits, '-', '_' and '.' only"):
        journal("start", {"uid": uid, "time": 0.0})
    assert not list(journal.folder.iterdir())


def test_a_document_of_no_open_run_is_refused(journal):
    documents = a_run()
    keep(journal, documents)
    with pytest.raises(JournalError, match="event belongs to .*; needs a run that was started"):
        journal(*documents[2])


def test_a_run_is_never_written_twice(journal):
    documents = a_run()
    path = keep(journal, documents)
    with pytest.raises(JournalError, match="is in .* already; needs a new uid"):
        keep(journal, documents)
    assert list(read(path)) == documents
    (path.parent / "shipped").mkdir()
    path.rename(path.parent / "shipped" / path.name)
    with pytest.raises(JournalError, match="is in .*shipped already; needs a new uid"):
        keep(journal, documents)


def test_a_failed_write_leaves_no_half_line(journal, monkeypatch):
    documents = a_run(2)
    path = keep(journal, documents[:3])
    write = os.write
    with monkeypatch.context() as full_disk:
        full_disk.setattr(os, "write", lambda file, line: write(file, line[:10]))
        with pytest.raises(OSError, match="no room for .* bytes; needs space on the disk"):
            journal(*documents[3])
    for document in documents[3:]:
        journal(*document)
    assert list(read(path)) == documents


def test_a_folder_that_cannot_be_written_is_refused_at_start(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UnwritableError, match="^journal: "):
        Journal(tmp_path / "file" / "journal")


def test_a_torn_last_line_is_left_out_and_logged(journal, caplog):
    documents = a_run()
    path = keep(journal, documents)
    path.write_bytes(path.read_bytes()[:-5])
    assert list(read(path)) == documents[:-1]
    assert caplog.messages == [f"{path}, line 6: torn; left out"]
    assert not is_finished(path)


def flip(path, line: int) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    middle = len(lines[line]) // 2
    lines[line] = (
        lines[line][:middle] + bytes([lines[line][middle] ^ 1]) + lines[line][middle + 1 :]
    )
    path.write_bytes(b"".join(lines))


@pytest.mark.parametrize("line", range(6))
def test_a_flipped_byte_is_found_and_placed(journal, line):
    path = keep(journal, a_run())
    flip(path, line)
    with pytest.raises(JournalError, match=rf"{path}, line {line + 1}: damaged \(CRC32"):
        list(read(path))


def test_reading_may_go_on_after_damage(journal, caplog):
    documents = a_run()
    path = keep(journal, documents)
    flip(path, 2)
    assert list(read(path, go_on=True)) == documents[:2] + documents[3:]
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


def test_a_run_is_finished_at_its_stop_only(journal):
    documents = a_run()
    path = journal.folder / f"{uid_of(documents)}.jsonl"
    path.with_name("empty.jsonl").touch()
    assert not is_finished(path.with_name("empty.jsonl"))
    for name, document in documents:
        journal(name, document)
        assert is_finished(path) == (name == "stop")
