"""A series of T1: one run a point, its fits, and the fit through them."""

import numpy as np
import pytest
from bluesky.utils import FailedStatus

from odmrlab.analysis.fit_run import FitRun
from odmrlab.analysis.fit_series import FitSeries
from odmrlab.plans import t1_against


@pytest.fixture
def published(RE):
    """Give every document, fits included."""
    documents = []

    def publish(name, doc):
        documents.append((name, doc))
        for consumer in consumers:
            consumer(name, doc)

    consumers = [FitRun(publish), FitSeries(publish)]
    RE.subscribe(publish)
    return documents


def starts(published):
    return [doc for name, doc in published if name == "start"]


@pytest.mark.layer
def test_series_over_laser_power_finds_the_t1_without_light(RE, bench, published):
    powers = [0.25, 0.5, 1.0, 2.0]
    bench.rf.frequency.set(2.351).wait(5)
    bench.magnet.set(100.0).wait(10)
    bench.lockin.integration_time.set(2.0).wait(5)
    plan = t1_against(
        *(bench.lockin, bench.rf.modulation_frequency, bench.laser.power, powers),
        start=100,
        stop=20e3,
        num=8,
        model="power",
    )
    runs = RE(plan).run_start_uids
    raw = [doc for doc in starts(published) if doc.get("series", {}).get("length")]
    assert [doc["uid"] for doc in raw] == list(runs)
    assert [doc["series"]["value"] for doc in raw] == powers
    *single, whole = [doc for doc in starts(published) if doc.get("technique") == "fit"]
    assert len(single) == 4 and whole["analysis_of"] == list(runs)
    result = whole["result"]
    assert result["t1_zero_power"] == pytest.approx(900e-6, abs=4 * result["t1_zero_power_error"])
    assert result["pump_rate"] == pytest.approx(3290.6, abs=4 * result["pump_rate_error"])


def test_partner_moves_along(RE, bench, published):
    fields, frequencies = [42.5, 60.0], [1.0, 1.411]
    plan = t1_against(
        *(bench.lockin, bench.rf.modulation_frequency, bench.magnet, fields),
        *(bench.rf.frequency, frequencies),
        num=5,
    )
    RE(plan)
    assert bench.magnet.field_readback.get() == pytest.approx(60.0)
    assert bench.rf.frequency.get() == pytest.approx(1.411)
    assert len([doc for doc in starts(published) if doc.get("technique") == "fit"]) == 2


@pytest.mark.parametrize(
    ("points", "partner_points", "words"),
    [
        ([1.0], None, "1 points, 1 of .*; needs 2 or more"),
        ([0.5, 1.0], [1.0], "2 points, 1 of .*; needs 2 or more, as many"),
    ],
)
def test_bad_points_are_refused_before_anything_moves(RE, bench, points, partner_points, words):
    partner = (bench.rf.frequency, partner_points) if partner_points else ()
    before = bench.laser.power.get()
    args = (bench.lockin, bench.rf.modulation_frequency, bench.laser.power, points, *partner)
    with pytest.raises(ValueError, match=words):
        RE(t1_against(*args))
    assert bench.laser.power.get() == before


def test_point_out_of_reach_is_refused(RE, bench):
    args = (bench.lockin, bench.rf.modulation_frequency, bench.laser.power, [1.0, 9.0])
    with pytest.raises((ValueError, FailedStatus), match="9"):
        RE(t1_against(*args))


def test_series_with_too_few_fits_fails_on_record():
    published = []
    series = FitSeries(lambda name, doc: published.append((name, doc)))
    about = {"uid": "s", "length": 2, "parameter": "t1", "model": "power", "model_options": {}}
    for number in range(2):
        run = f"run{number}"
        series("start", {"uid": run, "time": 0.0, "series": about | {"value": float(number)}})
        series("stop", {"uid": f"stop{number}", "run_start": run, "exit_status": "abort"})
    (_, start), (_, stop) = published
    assert start["analysis_of"] == ["run0", "run1"] and stop["exit_status"] == "fail"
    assert "none of its runs was fitted" in stop["reason"]
    assert np.isfinite(start["time"])
