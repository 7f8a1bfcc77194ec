"""The fault suites: a few cases of each, and that they bite."""

import importlib

import pytest
from covered import COVERED
from guards import GUARDS
from mutations import without
from page import Part
from rack import FIELDS, wrong
from scoreboard import SUITES, Case, Row, append, bound, kept, rows
from suites import HERE, suite

GOOD = [
    {"magnet_field_readback": field, "lockin_x": 1e-6, "lockin_y": -1e-7, "lockin_x_error": 1e-8}
    for field in FIELDS
]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, ""),
        ({"magnet_field_readback": 0.0}, "point 3 at 0 mT, not 35"),
        ({"lockin_x": 1.1e-6}, "point 3: x off by 10 standard errors"),
        ({"lockin_y": float("nan")}, "point 3: y off by nan standard errors"),
    ],
)
def test_wrong_point_is_found(changed, words):
    rows = [*GOOD[:3], GOOD[3] | changed, *GOOD[4:]]
    assert wrong(rows, GOOD, whole=True) == words


def test_missing_points_are_wrong_only_where_the_run_says_success():
    assert wrong(GOOD[:5], GOOD, whole=True) == "5 points of 12"
    assert wrong(GOOD[:5], GOOD, whole=False) == ""


@pytest.mark.timeout(600)
def test_a_few_scans_leave_nothing_wrong_on_record(tmp_path):
    found = suite("scans", 4, tmp_path)
    assert (found["runs"], found["failed"], found["seeds"]) == (4, 0, [11])


def test_cases_are_added_up_and_a_failure_is_never_averaged_away():
    good = Case("killed", safe=2.0, resumed=True, message="lost")
    made = rows([good, good, Case("killed", wrong="one point", safe=3.0, resumed=False), Case("a")])
    assert [row.fault for row in made] == ["a", "killed"]
    assert made[1] == Row("killed", 3, 0, 1, 0, 3.0, (2, 3), "lost")
    assert not good.failed and Case("a", lost=1).failed and Case("a", resumed=False).failed
    assert bound(0, 1000) == pytest.approx(0.003, rel=0.01) and bound(1, 4) == 0.25


def test_cases_that_are_kept_survive_an_interruption(tmp_path):
    append(Case("killed", facts={"event": 3}), "kills", 7, tmp_path)
    append(Case("killed"), "kills", 8, tmp_path)
    assert kept("kills", tmp_path) == ([Case("killed", facts={"event": 3}), Case("killed")], [7, 8])


def test_every_suite_says_what_it_does_and_a_control_is_no_failure():
    for name in SUITES:
        module = importlib.import_module(name)
        assert module.NAME and module.NUMBER and module.__doc__ and callable(module.run)
    part = Part("control", "", True, [Case("killed", wrong="a point")], [1])
    assert part.told == "1 of 1 failed (seed 1)."


def test_tests_that_are_said_to_cover_a_fault_exist():
    for by in COVERED.values():
        for name in by:
            file, _, test = name.partition("::")
            where = HERE / "tests" / file
            assert file in SUITES or f"def {test}(" in where.read_text(), name


def test_guards_that_are_taken_away_are_where_they_are_said_to_be():
    for guard in GUARDS:
        assert without(guard, (HERE / guard.file).read_text())
        file, _, test = guard.test.partition("::")
        assert f"def {test.partition('[')[0]}(" in (HERE / file).read_text(), guard.test
