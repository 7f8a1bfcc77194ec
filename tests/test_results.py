"""Numbers as people and programs read them."""

import json

import pytest

from odmrlab.lab.campaign.paper import CELLS, FIGURES, cells_of
from odmrlab.lab.campaign.report import table
from odmrlab.lab.campaign.results import Quantity, write_json
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
        (0.0, 1e-9, "V", "t = 0.0000000000 ± 0.0000000010 V"),
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
    assert list(row) == ["quantity", "unit", "paper", "value", "error", "runs", "fits"]


def test_table_has_a_row_for_every_quantity():
    assert table([Quantity("g", "", 1.68, 1.7, 0.01, [], [])] * 3).row_count == 3


def test_cells_come_after_what_they_need():
    assert cells_of(["fig3a"]) == ["survey", "inertia"]
    assert cells_of(list(FIGURES)) == list(CELLS)
