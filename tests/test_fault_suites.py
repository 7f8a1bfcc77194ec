"""A few cases of every fault suite; ``make faults`` runs more of them."""

import pytest
from guards import GUARDS
from suites import suite

pytestmark = pytest.mark.timeout(600)


def test_killed_sessions_lose_nothing_and_leave_the_bench_safe(tmp_path):
    found = suite("kills", 3, tmp_path)
    assert (found["runs"], found["failed"]) == (3, 0)
    assert all(0 < row["safe"] < 4 for row in found["rows"])
    assert all("died before the end of the run" in row["message"] for row in found["rows"])


def test_signals_at_any_moment_leave_a_closed_run_and_a_safe_bench(tmp_path):
    found = suite("signals", 4, tmp_path)
    assert found["runs"] >= 9 and found["failed"] == 0


@pytest.mark.parametrize("name", ["restarts", "restarts_pyepics"])
def test_instrument_that_comes_back_costs_no_point(tmp_path, name):
    found = suite(name, 1, tmp_path)
    (row,) = found["rows"]
    assert row["fault"] == "magnet back after 3 s" and row["resumed"] == [1, 1]
    assert "noticed after" in (tmp_path / "page.md").read_text()


def test_interlock_trips_in_a_run_and_before_one(tmp_path):
    assert suite("interlocks", 2, tmp_path)["failed"] == 0


def test_guard_that_is_removed_is_missed(tmp_path):
    number = next(n for n, guard in enumerate(GUARDS, 1) if "damaged line" in guard.name)
    assert suite("mutations", 1, tmp_path, seed=number)["failed"] == 0


def test_disturbed_road_loses_no_document(tmp_path):
    assert suite("data_path", 3, tmp_path)["failed"] == 0
