"""Plans on real devices over Channel Access: what they measure, say and refuse."""

import json

import pytest
from event_model import DocumentNames, schema_validators
from ophyd.utils import LimitError

from odmrlab.plans import NoResonanceError, find_resonance, odmr, spin_inertia

pytestmark = pytest.mark.layer
RESONANCE = 1 / (1.68 * 0.013996244917)  # mT at 1 GHz


def rows(documents, column):
    events = [doc for name, doc in documents if name == "event"]
    return [doc["data"][column] for doc in events if column in doc["data"]]


def test_odmr_measures_every_point_with_set_point_and_readback(RE, bench, documents):
    RE(odmr(bench.lockin, bench.magnet, 20, 65, 16))
    assert rows(documents, "magnet_field") == pytest.approx(list(range(20, 66, 3)))
    assert rows(documents, "magnet_field_readback") == rows(documents, "magnet_field")
    signal = [
        abs(complex(x, y))
        for x, y in zip(rows(documents, "lockin_x"), rows(documents, "lockin_y"), strict=True)
    ]
    assert 35 < rows(documents, "magnet_field")[signal.index(max(signal))] < 50


def test_odmr_of_both_signs_is_symmetric(RE, bench, documents):
    RE(odmr(bench.lockin, bench.magnet, 0, 80, 9, both_signs=True))
    field = rows(documents, "magnet_field")
    assert field == sorted(field) and field == [-b for b in reversed(field)] and len(field) == 17


def test_arguments_that_a_plan_does_not_have_are_told_with_those_that_it_has(bench, recwarn):
    with pytest.raises(
        TypeError, match=r"odmr: .* 'line'; needs odmr\(lockin, magnet, start, stop, "
    ):
        odmr(bench.lockin, bench.magnet, 0, 140, line=2)
    assert not recwarn


def test_detector_in_the_place_of_the_motor_is_refused(RE, bench, documents):
    with pytest.raises(TypeError, match="lockin: is scanned, and cannot be set; needs a motor"):
        RE(odmr(bench.magnet, bench.lockin, 0, 140))
    assert documents == []


def test_find_resonance_stays_on_it(RE, bench):
    found = RE(find_resonance(bench.lockin, bench.magnet, 0, 100, 25)).plan_result
    assert found == pytest.approx(RESONANCE, abs=1.5)
    assert bench.magnet.field_readback.get() == found


def test_find_resonance_finds_nothing_with_the_rf_off(RE, bench, documents):
    bench.rf.output.set("Off").wait(5)
    with pytest.raises(NoResonanceError, match="standard errors; needs 5: check rf output"):
        RE(find_resonance(bench.lockin, bench.magnet, 0, 100, 8))
    assert documents[-1][1]["exit_status"] == "fail"
    assert "find_resonance: largest signal" in documents[-1][1]["reason"]


def test_spin_inertia_starts_and_ends_at_its_bounds(RE, bench, documents):
    RE(spin_inertia(bench.lockin, bench.rf.modulation_frequency, 10, 1e5, 6))
    frequency = rows(documents, "rf_modulation_frequency")
    assert (frequency[0], frequency[-1], len(frequency)) == (10.0, 1e5, 6)


def test_documents_are_valid_plain_and_say_how_to_be_read(RE, bench, documents):
    RE(odmr(bench.lockin, bench.magnet, 35, 50, 8, md={"purpose": "test"}))
    RE(spin_inertia(bench.lockin, bench.rf.modulation_frequency, 100, 1000, 5))
    for name, doc in documents:
        schema_validators[DocumentNames[name]].validate(doc)
        json.dumps(doc, allow_nan=False)
    starts = [doc for name, doc in documents if name == "start"]
    assert [doc["technique"] for doc in starts] == ["odmr", "spin_inertia"]
    assert [doc["fit_axis"] for doc in starts] == [
        "magnet_field_readback",
        "rf_modulation_frequency",
    ]
    assert {doc["fit_detector"] for doc in starts} == {"lockin"}
    assert starts[0]["purpose"] == "test"
    keys = next(doc for name, doc in documents if name == "descriptor")["data_keys"]
    assert (keys["magnet_field"]["units"], keys["lockin_x"]["units"]) == ("mT", "V")


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ((0, 900), LimitError, r"magnet_field: asked for 900.0 \[mT\]; needs a number from -500"),
        ((0, 50, 3), ValueError, "odmr: start=0 mT, stop=50 mT, num=3; needs .* num >= 8"),
        ((50, 0), ValueError, "odmr: start=50 mT, stop=0 mT"),
        ((0, float("nan")), ValueError, "stop=nan mT, num=41; needs finite"),
        ((0, float("inf")), ValueError, "stop=inf mT"),
        ((0, "50"), TypeError, "stop='50' mT"),
        ((0, 50, 20.5), TypeError, "num=20.5; needs finite start < stop and a whole num"),
        ((-10, 50, 20, True), ValueError, "start=-10 mT with both_signs; needs start >= 0"),
        ((0, 50, 20, False, 3), ValueError, "odmr: lines=3, num=20; needs lines 1 or 2"),
    ],
)
def test_bad_odmr_is_refused_before_anything_moves(RE, bench, documents, arguments, error, words):
    with pytest.raises(error, match=words):
        RE(odmr(bench.lockin, bench.magnet, *arguments))
    assert documents == [] and bench.magnet.field.get() == 42.5


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (
            (1, 1e3),
            LimitError,
            r"rf_modulation_frequency: asked for 1.0 \[Hz\]; needs a number from 10",
        ),
        ((0, 1e3), ValueError, "spin_inertia: start=0 Hz; needs start > 0"),
        ((100, 1e3, 4), ValueError, "num=4; needs .* num >= 5"),
    ],
)
def test_bad_inertia_is_refused_before_anything_moves(
    RE, bench, documents, arguments, error, words
):
    with pytest.raises(error, match=words):
        RE(spin_inertia(bench.lockin, bench.rf.modulation_frequency, *arguments))
    assert documents == []


def test_scan_of_what_is_no_axis_of_a_fit_is_refused(RE, bench, documents):
    words = "laser_power: is scanned, and is no axis of a fit; needs magnet or rf.modulation_freq"
    for plan in (odmr, spin_inertia):
        with pytest.raises(TypeError, match=words):
            RE(plan(bench.lockin, bench.laser.power, 0.1, 4, 8))
    assert documents == []
