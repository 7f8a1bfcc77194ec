"""From the documents of a run to the documents of its fit; every model by its name."""

import json
import re

import numpy as np
import pytest
from event_model import DocumentNames, compose_run, pack_event_page, schema_validators

from odmrlab.analysis import MODELS, Curve, FitError, Points, fit
from odmrlab.analysis.fit_run import (
    FitRun,
    curve_of,
    failed_fit_documents,
    fit_documents,
    fit_of,
)

FREQUENCY = np.geomspace(100, 1e5, 20)  # Hz
SCAN = np.linspace(0, 120, 41)  # mT
SIX = np.array([1.0, 2, 4, 6, 8, 10])
POLE = 20e-6 / (1 + 2j * np.pi * FREQUENCY * 130e-6)  # V
LINE = 10e-6 * np.exp(-0.5 * ((SCAN - 42.53) / 9.29) ** 2)  # V

EXAMPLES = {
    "odmr": (Curve(SCAN, LINE + 0j, np.full(41, 1e-7 * (1 + 1j))), {}),
    "spin_inertia": (Curve(FREQUENCY, POLE, np.full(20, 1e-7 * (1 + 1j))), {}),
    "g_factor": (Points(SIX, 42.5 * SIX, SIX), {}),
    "line_width": (Points(SIX, 8 + SIX, np.full(6, 0.1)), {"g": 1.68}),
    "power": (Points(SIX, 1e3 + 3e3 * SIX, np.full(6, 10)), {}),
    "field": (Points(SIX, 1e3 + 3e3 / SIX**2, np.full(6, 10)), {"overhauser_field": 0.5}),
    "spin_inertia_corrected": (
        Curve(FREQUENCY, POLE, np.full(20, 1e-7 * (1 + 1j))),
        {"variance": 0.0},
    ),
    "blank": (
        Curve(FREQUENCY, 1e-6 * np.exp(-3e-6j * FREQUENCY), np.full(20, 1e-8 * (1 + 1j))),
        {},
    ),
    "harmonics": (
        Curve([1, 2] * 4, [1e-6 - 1e-6j, -1e-8 - 2e-8j] * 4, np.full(8, 1e-9 * (1 + 1j))),
        {"t1": 1e-3, "modulation_frequency": 159.0},
    ),
    "g_energy": (Points(SIX, 2 - 0.1 * SIX, np.full(6, 0.01)), {"at": 5.0}),
    "two_phonon": (Points(SIX, 1e3 + 2e7 * np.exp(-37 / SIX), 50 * SIX), {}),
    "temperature": (Points(SIX, 1e3 + 2e7 * np.exp(-37 / SIX), 50 * SIX), {}),
}


def raw_run(exit_status="success", flagged=(), unsettled=(), **start):
    """Compose the documents of a spin-inertia run, as a plan would leave them."""
    start = {
        "fit": "spin_inertia",
        "fit_axis": "rf_modulation_frequency",
        "fit_detector": "lockin",
        "sample": "CsPbI3 #1",
    } | start
    bundle = compose_run(metadata=start)
    yield "start", bundle.start_doc
    rows = [
        {
            "rf_modulation_frequency": float(frequency),
            "lockin_x": value.real,
            "lockin_y": value.imag,
            "lockin_x_error": 1e-7,
            "lockin_y_error": 1e-7,
            "lockin_overload": int(index in flagged),
            "lockin_unlocked": 0,
            "lockin_unsettled": int(index in unsettled),
        }
        for index, (frequency, value) in enumerate(zip(FREQUENCY, POLE.tolist(), strict=True))
    ]
    keys = {name: {"source": "PV", "dtype": "number", "shape": []} for name in rows[0]}
    for stream, chosen in (("baseline", rows[:1]), ("primary", rows)):
        composed = bundle.compose_descriptor(name=stream, data_keys=keys)
        yield "descriptor", composed.descriptor_doc
        for row in chosen:
            yield "event", composed.compose_event(data=row, timestamps=dict.fromkeys(row, 0.0))
    yield "stop", bundle.compose_stop(exit_status=exit_status)


def fits_of(*documents):
    """Send documents through FitRun and give what it publishes."""
    published = []
    fit_run = FitRun(lambda name, doc: published.append((name, doc)))
    for name, doc in documents:
        fit_run(name, doc)
    return published


def assert_valid(documents):
    for name, doc in documents:
        schema_validators[DocumentNames[name]].validate(doc)
        assert json.loads(json.dumps(doc, allow_nan=False)) == doc


def test_every_model_has_an_example():
    assert set(EXAMPLES) == set(MODELS)


@pytest.mark.parametrize("name", MODELS)
def test_every_model_says_what_it_is(name):
    model = MODELS[name]
    assert model.name == name
    assert re.search(r"Eqs?\. \(\d", model.__doc__ or "")
    assert model.version


@pytest.mark.parametrize("name", MODELS)
def test_every_model_gives_numbers_with_units_and_errors(name):
    data, options = EXAMPLES[name]
    found = fit(name, data, **options)
    assert (found.model, found.version) == (name, MODELS[name].version)
    assert list(found.values) == list(found.errors) == list(found.units)
    assert np.sqrt(np.diag(found.covariance)) == pytest.approx(list(found.errors.values()))
    assert {"chi_square_p", "runs_p"} <= set(found.verdicts)
    assert len(found.curve(data.axis)) == found.points == len(data)


@pytest.mark.parametrize("name", MODELS)
def test_every_model_refuses_too_few_points(name):
    data, options = EXAMPLES[name]
    fewer = slice(MODELS[name].minimum_points - 1)
    short = type(data)(*(array[fewer] for array in vars(data).values()))
    with pytest.raises(FitError, match=rf"^{name}: \d points; needs {fewer.stop + 1} or more$"):
        fit(name, short, **options)


@pytest.mark.parametrize("name", MODELS)
def test_every_fit_goes_on_record_and_comes_back(name):
    data, options = EXAMPLES[name]
    found = fit(name, data, **options)
    documents = list(fit_documents(found, ["uid-1", "uid-2"], md={"purpose": "test"}))
    assert [kind for kind, _ in documents] == ["start", "descriptor", "event", "stop"]
    assert_valid(documents)
    start = documents[0][1]
    assert start["technique"] == "fit"
    assert start["analysis_of"] == ["uid-1", "uid-2"]
    assert (start["model"], start["model_version"]) == (name, found.version)
    assert start["purpose"] == "test"
    assert fit_of(documents) == (found.values, found.errors)


def test_event_of_a_fit_holds_all_that_is_needed_to_judge_it():
    found = fit("power", EXAMPLES["power"][0])
    _, (_, descriptor), (_, event), _ = fit_documents(found, ["uid"], points_left_out=2)
    data = event["data"]
    assert np.array(data["covariance"]) == pytest.approx(found.covariance)
    assert data["t1_zero_power_low"] < data["t1_zero_power"] < data["t1_zero_power_high"]
    assert (data["points_used"], data["points_left_out"]) == (6, 2)
    assert data["degrees_of_freedom"] == 4
    assert {"chi_square", "reduced_chi_square", "chi_square_p", "runs_p"} <= set(data)
    assert descriptor["data_keys"]["pump_rate_error"]["units"] == "1/s/mW"
    assert descriptor["data_keys"]["covariance"]["shape"] == [3, 3]


def test_run_is_fitted_as_its_start_asks():
    raw = list(raw_run())
    documents = fits_of(*raw)
    assert_valid(documents)
    start = documents[0][1]
    assert start["analysis_of"] == [raw[0][1]["uid"]]
    assert start["result"]["t1"] == pytest.approx(130e-6)
    assert start["sample"] == "CsPbI3 #1"
    assert start["model_options"] == {"offset": False, "delay": 0.0, "baseline": [0.0, 0.0]}


def test_options_of_the_start_reach_the_fit():
    values, _ = fit_of(fits_of(*raw_run(fit_options={"offset": True})))
    assert "background_x" in values


def test_interleaved_runs_are_kept_apart():
    one, two = list(raw_run()), list(raw_run(fit_options={"offset": True}))
    mixed = [document for pair in zip(one, two, strict=True) for document in pair]
    starts = [doc for name, doc in fits_of(*mixed) if name == "start"]
    assert [start["analysis_of"] for start in starts] == [[one[0][1]["uid"]], [two[0][1]["uid"]]]
    assert [start["model_options"]["offset"] for start in starts] == [False, True]


def test_event_pages_and_replayed_documents_give_the_same_fit():
    raw = list(raw_run())
    primary = [doc for name, doc in raw if name == "event"][1:]
    page = ("event_page", pack_event_page(*primary))
    without_events = [document for document in raw if document[0] != "event"]
    paged = [*without_events[:-1], page, page, raw[-1]]
    assert fit_of(fits_of(*paged)) == fit_of(fits_of(*raw))


def test_flagged_points_are_left_out_and_counted():
    documents = fits_of(*raw_run(flagged=(3, 7, 8), unsettled=(8, 9)))
    data = documents[2][1]["data"]
    assert (data["points_used"], data["points_left_out"]) == (16, 4)


def test_run_of_before_there_was_unsettled_is_fitted():
    documents = list(raw_run(flagged=(3,)))
    for name, doc in documents:
        if name == "event":
            doc["data"].pop("lockin_unsettled", None)
        elif name == "descriptor":
            doc["data_keys"].pop("lockin_unsettled", None)
    data = fits_of(*documents)[2][1]["data"]
    assert (data["points_used"], data["points_left_out"]) == (19, 1)


@pytest.mark.parametrize("change", [{"exit_status": "abort"}, {"fit": ""}])
def test_run_that_was_aborted_or_asks_for_no_fit_is_passed_over(change):
    assert fits_of(*raw_run(**change)) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"fit": "lorentzian"},
            r"no model 'lorentzian'; needs one of blank, field, g_energy, g_factor",
        ),
        ({"fit": "power"}, r"^power: curve; needs points$"),
        ({"fit_axis": "magnet_field"}, r"^run: no column magnet_field; needs"),
        ({"fit_detector": "counter"}, r"^run: no column counter_x, counter_y"),
        (
            {"fit_options": {"slope": 1}},
            r"unexpected .*'slope'; its options are: offset, delay, baseline$",
        ),
        ({"fit_options": ["offset"]}, r"^run: fit_options=\['offset'\]; needs names with values$"),
        ({"flagged": range(20)}, r"^run: 20 points, none without overload"),
        ({"flagged": range(17)}, r"^spin_inertia: 3 points; needs 4 or more$"),
    ],
)
def test_failed_fit_is_on_record(change, sentence):
    raw = list(raw_run(**change))
    documents = fits_of(*raw)
    assert_valid(documents)
    (_, start), (_, stop) = documents
    assert start["analysis_of"] == [raw[0][1]["uid"]]
    assert stop["exit_status"] == "fail"
    assert re.search(sentence, stop["reason"])
    with pytest.raises(FitError, match=sentence):
        fit_of(documents)


def test_text_in_a_column_is_refused_with_a_sentence():
    raw = list(raw_run())
    descriptor, event = raw[3][1], raw[4][1]
    broken = {**event, "data": event["data"] | {"lockin_x": "hung"}}
    with pytest.raises(
        FitError, match=r"^run: .*hung.*; needs numbers in rf_modulation_frequency,"
    ):
        curve_of(raw[0][1], descriptor, [broken])


def test_failure_keeps_the_version_of_its_model():
    (_, start), _ = failed_fit_documents(FitError("odmr: no"), "odmr", ["uid"])
    assert start["model_version"] == MODELS["odmr"].version
