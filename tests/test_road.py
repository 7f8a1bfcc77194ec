"""The road: whatever a callback does, the scan goes on and everybody else gets every document."""

import os
import threading
import time

import bluesky.plan_stubs as bps
import bluesky.plans as bp
import bluesky.preprocessors as bpp
import numpy as np
import pytest
from ophyd import Signal
from ophyd.sim import SynAxis
from test_journal import a_run, keep_all, uid_of, wait_for

from odmrlab.lab.keeping import KeepingEngine
from odmrlab.lab.record import lane
from odmrlab.lab.record import road as roads
from odmrlab.lab.record.frame import JournalError
from odmrlab.lab.record.journal import Journal, read
from odmrlab.lab.record.road import Road
from odmrlab.lab.record.runfile import UnkeptError

NAMES = ["start", "descriptor", "event", "event", "event", "stop"]


@pytest.fixture
def journal(tmp_path):
    journal = Journal(tmp_path)
    yield journal
    journal.close()


@pytest.fixture
def road(journal):
    road = Road(journal)
    yield road
    road.close()


@pytest.fixture
def RE(road):
    return KeepingEngine(road, call_returns_result=True)


def scan(RE, **md):
    """Run three points; return how it ended and what is on record."""
    motor = SynAxis(name="motor")
    result = RE(bp.list_scan([motor], motor, [0.0, 1.0, 2.0]), **md)
    path = RE._road._journal.folder / f"{result.run_start_uids[0]}.jsonl"
    return result, list(read(path))


class Held:
    """A callback that hangs until it is let go."""

    def __init__(self):
        self.seen, self.free = [], threading.Event()

    def __call__(self, name, doc):
        self.free.wait(60)
        self.seen.append(name)


@pytest.fixture
def held():
    held = Held()
    yield held
    held.free.set()


@pytest.mark.parametrize("kind", ["start", "descriptor", "event", "stop"])
def test_a_callback_that_raises_is_told_once_a_run_and_stops_nothing(RE, caplog, kind):
    before, after = [], []

    def broken(name, doc):
        if name == kind:
            raise RuntimeError("broken callback")

    RE.subscribe(lambda name, doc: before.append(name))
    RE.subscribe(broken)
    RE.subscribe(lambda name, doc: after.append(name))
    for number in (1, 2):
        result, documents = scan(RE)
        assert result.exit_status == "success"
        assert [name for name, _ in documents] == NAMES
        RE._road.drain()
        assert before == after == NAMES * number
        told = [record for record in caplog.records if record.name == lane.__name__]
        assert len(told) == number
        run = result.run_start_uids[0]
        assert told[-1].message.endswith(f"broken failed on a document ({kind}) of run {run}")


def test_a_callback_of_one_plan_gets_its_documents_and_no_others(RE):
    mine, events = [], []
    motor = SynAxis(name="motor")
    plan = bpp.subs_wrapper(bp.count([motor]), {"event": [lambda name, doc: events.append(name)]})
    RE(plan, lambda name, doc: mine.append(name))
    assert (mine, events) == (["start", "descriptor", "event", "stop"], ["event"])
    scan(RE)
    assert len(mine) == 4 and len(events) == 1


def test_a_callback_that_hangs_holds_up_nobody_but_itself(RE, road, held, monkeypatch, caplog):
    monkeypatch.setattr("odmrlab.lab.keeping.MOMENT", 0.1)
    monkeypatch.setattr(roads, "PATIENCE", 0.2)
    others = []
    RE.subscribe(held)
    RE.subscribe(lambda name, doc: others.append(name))
    result, documents = scan(RE)
    assert result.exit_status == "success" and len(documents) == len(NAMES)
    wait_for(lambda: others == NAMES)
    assert not held.seen and "documents not taken, 6 by Held" in caplog.text
    with pytest.raises(TimeoutError, match="road: documents not taken, 6 by Held after"):
        road.drain(0.05)
    began = time.monotonic()
    road.close()
    assert time.monotonic() - began < 20
    assert "at the end; the journal has them" in caplog.text
    held.free.set()
    wait_for(lambda: held.seen == NAMES)


def test_what_waits_for_a_callback_has_a_bound(road, held, monkeypatch, caplog):
    monkeypatch.setattr(lane, "LONGEST", 10)
    documents, others = a_run(50), []
    road.subscribe(held)
    road.subscribe(lambda name, doc: others.append((name, doc)))
    for document in documents:
        wait_for(lambda: len(others) > documents.index(document) - 5)  # noqa: B023
        road(*document)
    wait_for(lambda: others == documents)
    held.free.set()
    wait_for(lambda: len(held.seen) == 10)
    assert caplog.text.count("Held is 10 documents behind; it gets no more") == 1


def test_what_was_unsubscribed_gets_what_came_before(road):
    documents, seen = a_run(), []
    token = road.subscribe(lambda name, doc: seen.append(name), "event")
    for document in documents[:4]:
        road(*document)
    road.unsubscribe(token)
    road.unsubscribe(token)
    for document in documents[4:]:
        road(*document)
    wait_for(lambda: seen == ["event"] * 2)


def test_no_thread_is_left(journal):
    before = set(threading.enumerate())
    road = Road(journal, print)
    road.unsubscribe(road.subscribe(print))
    road.close()
    wait_for(lambda: not set(threading.enumerate()) - before)


def test_a_reset_of_the_runengine_does_not_lose_the_journal(RE):
    RE.reset()
    assert [name for name, _ in scan(RE)[1]] == NAMES


def test_a_start_that_cannot_be_kept_starts_nothing(RE):
    seen = []
    RE.subscribe(lambda name, doc: seen.append(name))
    with pytest.raises(JournalError, match="start document holds nan at width; needs plain JSON"):
        scan(RE, width=float("nan"))
    assert seen == [] and RE.state == "idle"
    scan(RE, width=np.float64(1.5), names=np.array(["å", "試"]))


def broken_disk(monkeypatch, after: int) -> None:
    """Let the disk fail for good after so many writes of a line."""
    write, lines = os.write, []

    def refuse(file, line):
        lines.append(line)
        if len(lines) > after and b'["stop"' not in line:
            raise OSError(28, "No space left on device")
        return write(file, line)

    monkeypatch.setattr(os, "write", refuse)


def test_a_disk_that_is_full_ends_the_plan_and_the_run_says_so(RE, road, monkeypatch):
    seen, cleaned = [], []
    RE.subscribe(lambda name, doc: seen.append((name, doc)))
    motor = SynAxis(name="motor")
    plan = bp.list_scan([motor], motor, [0.0, 1.0, 2.0, 3.0])
    broken_disk(monkeypatch, after=4)
    with pytest.raises(UnkeptError, match="No space left on device.*; needs space on a disk"):
        RE(bpp.finalize_wrapper(plan, lambda: (cleaned.append(True), (yield from bps.null()))))
    assert cleaned and RE.state == "idle"
    road.drain()
    assert [name for name, _ in seen] == ["start", "descriptor", "event", "event", "stop"]
    stop = seen[-1][1]
    assert stop["exit_status"] == "fail" and "No space left on device" in stop["reason"]
    monkeypatch.undo()
    assert scan(RE)[0].exit_status == "success"


def test_a_reading_of_a_monitor_that_is_not_kept_fails_the_run(RE, monkeypatch):
    watched, written = Signal(name="watched", value=0.0), threading.Event()

    def plan():
        yield from bps.open_run()
        yield from bps.monitor(watched, name="watched")
        yield from bps.null()
        broken_disk(monkeypatch, after=0)
        thread = threading.Thread(target=lambda: (watched.put(1.0), written.set()))
        thread.start()
        written.wait(5)
        thread.join()
        yield from bps.unmonitor(watched)
        yield from bps.close_run()

    with pytest.raises(UnkeptError, match="the run is not whole and must fail"):
        RE(plan())
    (path,) = RE._road._journal.folder.glob("*.jsonl")
    assert list(read(path))[-1][1]["exit_status"] == "fail"


def test_documents_of_several_threads_come_in_the_order_of_their_runs(road):
    runs, seen = [a_run(20) for _ in range(4)], {}
    owner = {}

    def sort(name, doc):
        key = doc["uid"] if name == "start" else doc.get("run_start") or owner[doc["descriptor"]]
        owner[doc["uid"]] = key
        seen.setdefault(key, []).append((name, doc))

    road.subscribe(sort)
    threads = [threading.Thread(target=keep_all, args=(road, run)) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    road.drain()
    assert seen == {uid_of(run): run for run in runs}
