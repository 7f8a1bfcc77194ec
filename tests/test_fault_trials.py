"""The fault trials: a few of them, and that they bite."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from rack import FIELDS, wrong

HERE = Path(__file__).parent.parent
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


def test_a_few_trials_leave_nothing_wrong_on_record(tmp_path):
    out = tmp_path / "faults.json"
    words = [
        "--trials",
        "4",
        "--seed",
        "11",
        "--out",
        str(out),
        "--page",
        str(tmp_path / "page.md"),
    ]
    done = subprocess.run(
        [sys.executable, str(HERE / "faults"), *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (found,) = json.loads(out.read_text()).values()
    assert found["trials"] == 4 and found["outcomes"]["wrong"] == found["outcomes"]["hung"] == 0
    assert found["ended_early"] == found["left_safe"]
    assert "| fault | scans | right |" in (tmp_path / "page.md").read_text()
