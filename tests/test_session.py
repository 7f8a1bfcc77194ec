"""A session: documents on disk first, fits as runs of their own, numbers that do not repeat."""

import gc
import json
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from operator import gt, le

import bluesky.plan_stubs as bps
import bluesky.plans as bp
import bluesky.preprocessors as bpp
import pytest
from event_model import DocumentNames, schema_validators

from odmrlab.analysis import FitError
from odmrlab.lab.record.journal import read
from odmrlab.lab.session import Instruments, Session, next_scan_id
from odmrlab.lab.settings import Settings
from odmrlab.plans import odmr

pytestmark = pytest.mark.layer


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path)


@pytest.fixture
def session(settings, bench):
    made = Session(settings, Instruments(**vars(bench)), md={"sample": "test"})
    yield made
    made.close()


def test_run_and_its_fit_are_in_the_journal_valid_and_linked(session, settings):
    bench = session.instruments
    (uid,) = session.RE(odmr(bench.lockin, bench.magnet, 15, 70, 23)).run_start_uids
    session.road.drain()
    runs = [list(read(path)) for path in settings.journal.glob("*.jsonl")]
    assert len(runs) == 2
    for name, doc in (document for run in runs for document in run):
        schema_validators[DocumentNames[name]].validate(doc)
        json.dumps(doc, allow_nan=False)
    (raw,) = [run for run in runs if run[0][1]["uid"] == uid]
    (fit,) = [run for run in runs if run[0][1].get("analysis_of") == [uid]]
    start = raw[0][1]
    assert {"odmrlab", "bluesky", "ophyd", "caproto"} <= start["versions"].keys()
    assert (start["sample"], fit[0][1]["sample"]) == ("test", "test")
    streams = [doc["name"] for name, doc in raw if name == "descriptor"]
    assert sorted(streams) == ["baseline", "primary"]
    (numbers,) = [doc["data"] for name, doc in fit if name == "event"]
    assert numbers["field"] == pytest.approx(42.53, abs=5 * numbers["field_error"])
    assert numbers["width"] == pytest.approx(9.30, abs=0.5)


def test_callback_finds_what_it_sees_in_the_journal(session, settings):
    missing = []

    def look(name, doc):
        kept = [uid for path in settings.journal.glob("*.jsonl") for uid in uids(path)]
        missing.extend([name] * (doc["uid"] not in kept))

    def uids(path):
        return [document["uid"] for _, document in read(path)]

    bench = session.instruments
    session.RE.subscribe(look)
    session.RE(odmr(bench.lockin, bench.magnet, 15, 70, 8))
    assert missing == []


def test_callbacks_of_the_runengine_get_what_it_emits_and_those_of_the_road_fits_too(session):
    bench, emitted, all_starts = session.instruments, [], []
    session.RE.subscribe(lambda name, doc: emitted.append(doc), "start")
    session.road.subscribe(lambda name, doc: all_starts.append(doc), "start")
    plan = bpp.finalize_wrapper(
        odmr(bench.lockin, bench.magnet, 15, 70, 8), lambda: drained(session)
    )
    (uid,) = session.RE(plan, {"start": [lambda name, doc: emitted.append(doc)]}).run_start_uids
    assert [doc["uid"] for doc in emitted] == [uid, uid]
    assert [doc.get("analysis_of") for doc in all_starts] == [None, [uid]]


def drained(session):
    """Wait, in a plan, until the fit of its run is on its way as well."""
    yield from bps.null()
    session.road.drain()


def test_baseline_holds_all_five_instruments_before_and_after(session, settings):
    bench = session.instruments
    (uid,) = session.RE(odmr(bench.lockin, bench.magnet, 15, 70, 8)).run_start_uids
    documents = list(read(settings.journal / f"{uid}.jsonl"))
    (baseline,) = [d for n, d in documents if n == "descriptor" and d["name"] == "baseline"]
    events = [d for n, d in documents if n == "event" and d["descriptor"] == baseline["uid"]]
    assert len(events) == 2
    names = {key.split("_")[0] for key in events[0]["data"]}
    assert names == {"magnet", "rf", "laser", "cryostat", "lockin"}


def test_failed_fit_is_on_record_with_its_reason(session, settings, bench):
    bench.rf.output.set("Off").wait(5)
    session.RE(odmr(bench.lockin, bench.magnet, 15, 70, 8))
    session.road.drain()
    runs = [list(read(path)) for path in settings.journal.glob("*.jsonl")]
    (fit,) = [run for run in runs if run[0][1]["technique"] == "fit"]
    name, stop = fit[-1]
    assert (name, stop["exit_status"]) == ("stop", "fail")
    assert stop["reason"].startswith("odmr: one more line does not beat a constant")


def test_consumer_that_fails_hurts_nobody(settings, bench, caplog):
    seen = []

    def broken(name, doc):
        raise RuntimeError("broken consumer")

    session = Session(settings, Instruments(**vars(bench)), broken, lambda n, d: seen.append(n))
    session.RE(odmr(bench.lockin, bench.magnet, 15, 70, 8))
    session.close()
    assert seen.count("stop") == 2
    assert "broken consumer" in caplog.text


def test_scan_ids_never_repeat(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda _: next_scan_id(tmp_path / "scan_id"), range(200)))
    assert sorted(numbers) == list(range(1, 201))


def test_sessions_leave_no_thread_and_no_file_open(settings, bench):
    def left() -> tuple[int, int]:
        gc.collect()
        return threading.active_count(), len(os.listdir("/proc/self/fd"))

    def one() -> None:
        session = Session(settings, Instruments(**vars(bench)))
        session.RE(odmr(bench.lockin, bench.magnet, 15, 70, 8))
        session.close()

    one()  # what is made once and kept
    before = left()
    for _ in range(3):
        one()
    deadline = time.monotonic() + 10  # what is given up ends in a moment, on a busy machine too
    while any(map(gt, left(), before)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert all(map(le, left(), before))


@pytest.mark.parametrize("md", [{"fit": "pwer"}, {"series": {"model": "pwer"}}])
def test_run_that_nothing_could_fit_is_refused_before_it_is_measured(session, settings, md):
    with pytest.raises(FitError, match="fit: no model 'pwer'; needs one of .*power"):
        session.RE(bp.count([session.instruments.lockin], md=md))
    assert not list(settings.journal.glob("*.jsonl"))
