"""Every document is on disk before anyone sees it, and damage is found and placed."""

import json
import logging
import math
import os
import random
import shutil
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
from bluesky import RunEngine
from bluesky.plans import list_scan
from event_model import compose_run
from ophyd.sim import SynAxis

from odmrlab.lab.record.frame import JournalError, decode
from odmrlab.lab.record.journal import Journal, is_finished, read
from odmrlab.lab.record.runfile import UnkeptError
from odmrlab.lab.record.tail import close_dead
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


def wait_for(condition: Callable[[], object], timeout: float = 100.0) -> None:
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


def uid_of(documents: list) -> str:
    return documents[0][1]["uid"]


def keep_all(take: Callable, documents: list) -> None:
    for name, document in documents:
        take(name, document)


def keep(journal: Journal, documents: list):
    keep_all(journal, documents)
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


def test_a_disk_that_fails_behind_our_back_fails_the_run(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("odmrlab.lab.record.journal.SYNC_PERIOD", 0.0)
    journal, documents = Journal(tmp_path), a_run()
    journal(*documents[0])

    def broken(file):
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as disk:
        disk.setattr(os, "fsync", broken)
        journal(*documents[1])
        wait_for(lambda: "is not on the disk (Input/output error)" in caplog.text)
    for document in (documents[2], documents[-1]):
        with pytest.raises(UnkeptError, match="Input/output error.*; the run is not whole"):
            journal(*document)
    journal("stop", failed(documents))


def failed(documents: list) -> dict:
    """Return the stop document of a run that failed."""
    return documents[-1][1] | {"exit_status": "fail", "reason": "unkept"}


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


def test_a_failed_write_leaves_no_half_line_and_no_success(journal, monkeypatch):
    documents = a_run(2)
    path = keep(journal, documents[:3])
    write = os.write

    def half(file, line):
        if len(line) < 100:
            raise OSError(28, "No space left on device")
        return write(file, line[:-50])

    with monkeypatch.context() as full_disk:
        full_disk.setattr(os, "write", half)
        with pytest.raises(UnkeptError, match="No space left.*; needs space on a disk"):
            journal(*documents[3])
    with pytest.raises(UnkeptError, match="the run is not whole and must fail"):
        journal(*documents[4])
    journal("stop", failed(documents))
    assert list(read(path)) == [*documents[:3], ("stop", failed(documents))]


def test_a_run_whose_end_cannot_be_written_is_ended_by_others(journal, monkeypatch):
    documents = a_run()
    path = keep(journal, documents[:-1])

    def refuse(file, line):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full_disk:
        full_disk.setattr(os, "write", refuse)
        with pytest.raises(UnkeptError):
            journal(*documents[-1])
    assert not close_dead(path)
    keep(journal, a_run())
    assert close_dead(path)
    stop = list(read(path))[-1][1]
    assert stop["reason"] == f"journal: process {os.getpid()} left the run without an end"


def test_a_journal_that_is_deleted_under_its_writer_is_put_back(journal, caplog):
    documents = a_run(4)
    path = keep(journal, documents[:3])
    path.unlink()
    journal(*documents[3])
    assert "was deleted while it was written; put back" in caplog.text
    shutil.rmtree(journal.folder)
    for document in documents[4:-1]:
        journal(*document)
    assert not close_dead(path)  # it is locked as before
    journal(*documents[-1])
    assert list(read(path)) == documents


def test_no_run_begins_without_room_and_one_ends_in_time(tmp_path, monkeypatch):
    free = {"MB": 50.0}

    def disk(_):
        return SimpleNamespace(f_frsize=1000, f_bavail=free["MB"] * 1000)

    monkeypatch.setattr(os, "statvfs", disk)
    monkeypatch.setattr(os, "fstatvfs", disk)
    journal, documents = Journal(tmp_path, room=60.0), a_run()
    with pytest.raises(UnkeptError, match=r"50 MB are free in .*; a run needs 60 MB to begin"):
        journal(*documents[0])
    assert not list(tmp_path.iterdir())
    free["MB"] = 70.0
    path = keep(journal, documents[:3])
    free["MB"] = 5.0
    with pytest.raises(UnkeptError, match=r"5 MB are free .*; a run needs 6 MB to go on"):
        journal(*documents[3])
    journal("stop", failed(documents))
    assert list(read(path))[-1] == ("stop", failed(documents))


def test_nan_and_infinity_may_be_read_but_not_be_metadata(journal):
    documents = a_run(1)
    documents[2][1]["data"]["x"] = math.inf
    assert list(read(keep(journal, documents)))[2][1]["data"]["x"] == math.inf
    with pytest.raises(JournalError, match=r"start document holds nan at sample\.width; needs"):
        journal("start", {"uid": "a", "time": 0.0, "sample": {"width": math.nan}})


@pytest.mark.parametrize(
    ("place", "change", "words"),
    [
        (0, {"time": "now"}, "start document has 'now' is not of type 'number' in time"),
        (1, {"data_keys": {"x": {"dtype": "number"}}}, "descriptor document has .*data_keys"),
        (2, {"seq_num": 0}, "event has seq_num 0; needs 1, 2"),
        (2, {"seq_num": 1.5}, "event has seq_num 1.5; needs int"),
        (2, {"data": None}, "event has data None; needs dict"),
        (2, {"data": {"y": 1.0}}, "event 1 differs from its descriptor in x, y; needs a value"),
        (2, {"timestamps": {}}, "event 1 differs from its descriptor in x; needs a value"),
        (3, {"exit_status": "fine"}, "stop document has 'fine' is not one of"),
    ],
)
def test_what_event_model_does_not_know_is_refused_at_the_door(journal, place, change, words):
    documents = a_run(1)
    name, content = documents[place]
    keep_all(journal, documents[:place])
    with pytest.raises(JournalError, match=words):
        journal(name, content | change)


def test_metadata_of_every_language_and_of_ten_megabytes_come_back(journal):
    start = {"uid": "a", "time": 0.0, "größe": "Δω µeV 試料 \U0001f9f2", "big": "x" * 10_000_000}
    journal("start", start)
    journal("stop", {"uid": "b", "time": 0.0, "run_start": "a", "exit_status": "success"})
    path = journal.folder / "a.jsonl"
    assert next(read(path)) == ("start", start) and is_finished(path)


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


def damaged(whole: bytes, chance: random.Random) -> bytes:
    """Return a journal with one bit flipped, or its end cut off."""
    place = chance.randrange(len(whole))
    if chance.random() < 0.2:
        return whole[:place]
    return whole[:place] + bytes([whole[place] ^ 1 << chance.randrange(8)]) + whole[place + 1 :]


def test_any_flipped_bit_and_any_cut_is_found_and_the_rest_is_read(journal, tmp_path, caplog):
    documents, chance = a_run(), random.Random(1)  # noqa: S311
    whole = keep(journal, documents).read_bytes()
    path = tmp_path / "damaged"
    for _ in range(1000):
        caplog.clear()
        path.write_bytes(damaged(whole, chance))
        left = list(read(path, go_on=True))
        assert caplog.records or not is_finished(path)
        assert all(document in documents for document in left)
        lines = path.read_bytes().split(b"\n")
        untouched = [one for one in whole.split(b"\n")[:-1] if one in lines[:-1]]
        assert [decode(line) for line in untouched] == [
            d for d in left if d in map(decode, untouched)
        ]
        assert len(left) >= len(untouched)


def test_a_lost_newline_costs_no_document(journal, caplog):
    documents = a_run()
    path = keep(journal, documents)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\x0b", 3))
    assert list(read(path, go_on=True)) == documents
    assert "line 1: damaged" in caplog.text


def test_a_run_is_finished_at_its_stop_only(journal):
    documents = a_run()
    path = journal.folder / f"{uid_of(documents)}.jsonl"
    path.with_name("empty.jsonl").touch()
    assert not is_finished(path.with_name("empty.jsonl"))
    for name, document in documents:
        journal(name, document)
        assert is_finished(path) == (name == "stop")
