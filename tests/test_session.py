"""A session: documents on disk first, fits as runs of their own, numbers that do not repeat."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from event_model import DocumentNames, schema_validators

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
