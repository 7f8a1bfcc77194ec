"""Numbers as people and programs read them."""

import json
from io import StringIO

import pytest
from rich.console import Console

from odmrlab.lab.campaign.paper import CELLS, FIGURES, cells_of
from odmrlab.lab.campaign.report import table
from odmrlab.lab.campaign.results import Corrected, Quantity, beside, with_truth, write_json
from odmrlab.lab.numbers import brief, rounded, told


@pytest.mark.parametrize(
    ("value", "error", "expected"),
    [
        (1.67974, 0.00021, ("1.67974", "0.00021")),
        (903.94, 3.21, ("903.9", "3.2")),
        (3293.8, 48.0, ("3294", "48")),
        (12345.6, 1234.0, ("12346", "1234")),
        (2.0, 0.0, ("2.000000", "0.000000")),
    ],
)
def test_number_has_two_digits_of_its_error(value, error, expected):
    assert rounded(value, error) == expected


@pytest.mark.parametrize(
    ("value", "error", "unit", "expected"),
    [
        (130.1e-6, 0.2e-6, "s", "t = 130.10 ± 0.20 µs"),
        (2.5e-3, 1e-5, "V", "t = 2.500 ± 0.010 mV"),
        (-4.2e-7, 1e-7, "V", "t = -420 ± 100 nV"),
        (42.53, 0.03, "mT", "t = 42.530 ± 0.030 mT"),
        (1.68, 0.01, "", "t = 1.680 ± 0.010"),
        (0.0, 1e-9, "V", "t = 0.0 ± 1.0 nV"),
    ],
)
def test_number_is_told_with_a_fitting_unit(value, error, unit, expected):
    assert told("t", value, error, unit) == expected


def test_number_in_little_room_has_its_error_in_brackets():
    assert brief("t1", 130.1e-6, 0.2e-6, "s") == "t1 130.10(20) µs"
    assert brief("field", 42.683, 0.032, "mT") == "field 42.683(32) mT"


def test_json_holds_the_keys_of_the_contract(tmp_path):
    write_json([Quantity("g", "", 1.68, 1.7, 0.01, ["a"], ["b"])], tmp_path / "r.json")
    (row,) = json.loads((tmp_path / "r.json").read_text())
    contract = ["quantity", "unit", "paper", "value", "error", "runs", "fits"]
    assert list(row)[:7] == contract
    assert list(row)[7:] == [
        "statistical",
        "systematic",
        "analysis",
        "other",
        "interval",
        "truth",
    ]


def test_either_analysis_gives_the_value_and_the_other_stands_beside():
    paper = [
        Quantity("g", "", 1.68, 1.7, 0.01, ["a"], ["b"], 0.01),
        Quantity("h", "", 1, 2, 3, [], []),
    ]
    corrected = {"g": Corrected(1.6, 0.03, 0.04)}
    first, alone = beside(paper, corrected, "paper")
    assert (first.value, first.error, first.systematic) == (1.7, 0.01, 0.04)
    assert first.other == (1.6, pytest.approx(0.05)) and alone is paper[1]
    first, _ = beside(paper, corrected, "corrected")
    assert (first.value, first.error, first.analysis) == (1.6, pytest.approx(0.05), "corrected")
    assert (first.statistical, first.systematic, first.other) == (0.03, 0.04, (1.7, 0.01))


def test_table_has_a_row_for_every_quantity():
    assert table([Quantity("g", "", 1.68, 1.7, 0.01, [], [])] * 3).row_count == 3


def test_truth_stands_beside_where_it_is_known():
    known = with_truth([Quantity("g", "", 1.68, 1.7, 0.01, [], [], 0.01)], {"g": 1.68})
    assert known[0].pull == pytest.approx(2.0)
    console = Console(width=80, record=True, file=StringIO())
    console.print(table(known), table([Quantity("g", "", 1.68, 1.7, 0.01, [], [], 0.01)]))
    first, second = console.export_text().split("The paper")[1:]
    assert "1.700(10)" in first and "+2.0 σ" in first and "σ" not in second


def test_cells_come_after_what_they_need():
    assert cells_of(["fig3a"]) == ["survey", "blank", "inertia"]
    assert cells_of(list(FIGURES)) == list(CELLS)
