"""The table that a person sees while a run is measured."""

import numpy as np
import pytest
from event_model import compose_run

from odmrlab.analysis.fit_run import FitRun
from odmrlab.lab.live import LiveTable

COLUMNS = {"f": "Hz", "d_x": "V", "d_y": "V", "d_x_error": "V", "d_y_error": "V"}
FLAGS = ("d_overload", "d_unlocked")


@pytest.fixture
def lines():
    return []


DIMENSIONS = {"dimensions": [(["f"], "primary")]}


def measure(
    table,
    fit: str | None,
    exit_status: str = "success",
    flat: bool = False,
    hints: dict = DIMENSIONS,
    **bench: str | float,
) -> None:
    """Hand the documents of an inertia scan, and of its fit, to the table."""

    def hand(name, doc):
        table(name, doc)
        fits(name, doc)

    fits = FitRun(table)
    md = {"scan_id": 3, "plan_name": "scan", "hints": hints}
    md |= {"fit": fit, "fit_axis": "f", "fit_detector": "d"} if fit else {}
    run = compose_run(metadata=md)
    hand("start", run.start_doc)
    if bench:
        strings = {key: {"source": "", "dtype": "string", "shape": []} for key in bench}
        baseline = run.compose_descriptor(name="baseline", data_keys=strings)
        hand("descriptor", baseline.descriptor_doc)
        hand("event", baseline.compose_event(data=bench, timestamps=dict.fromkeys(bench, 0.0)))
    keys = {
        key: {"source": "", "dtype": "number", "shape": [], "units": u}
        for key, u in COLUMNS.items()
    }
    keys |= {key: {"source": "", "dtype": "integer", "shape": []} for key in FLAGS}
    stream = run.compose_descriptor(
        name="primary", data_keys=keys, hints={"d": {"fields": ["d_x", "d_y"]}}
    )
    hand("descriptor", stream.descriptor_doc)
    for number, f in enumerate(np.geomspace(100, 1e5, 12)):
        signal = 1e-5 / (1 + 2j * np.pi * f * 1.3e-4) if not flat else 0j
        x, y = signal.real + 1e-8 * (-1) ** number, signal.imag
        data = {
            "f": float(f),
            "d_x": float(x),
            "d_y": float(y),
            "d_x_error": 1e-7,
            "d_y_error": 1e-7,
        }
        data |= dict.fromkeys(FLAGS, 0)
        hand("event", stream.compose_event(data=data, timestamps=dict.fromkeys(data, 0.0)))
    hand("stop", run.compose_stop(exit_status=exit_status, reason="lost the magnet"))


def test_every_event_is_a_row_under_names_and_units(lines):
    measure(LiveTable(lines.append), fit=None)
    assert lines[0].startswith("run 3, scan, ")
    assert lines[1].split() == ["point", "f", "d_x", "d_y"]
    assert lines[2].split() == ["Hz", "V", "V"]
    assert lines[3].split()[:2] == ["1", "100"] and len(lines) == 3 + 12


def test_fit_is_told_with_error_bars_units_and_verdict(lines):
    measure(LiveTable(lines.append, fit_share=float("inf")), fit="spin_inertia")
    told = lines[-1]
    assert told.startswith("fit spin_inertia, ")
    assert "t1 = 13" in told and " µs" in told and "chi-square per degree of freedom 0." in told
    assert any("t1 13" in line for line in lines[3:-1]), "no fit on the way"


@pytest.mark.parametrize("fit", ["spin_inertia", None])
def test_dark_bench_is_told_before_its_points(lines, fit):
    measure(LiveTable(lines.append), fit=fit, rf_output="Off", laser_shutter="Open")
    told = "attention: rf.output is Off; there is no signal but noise"
    assert (lines[1] == told) == bool(fit) and lines.count(told) == bool(fit)


def test_modulation_that_is_too_fast_for_a_spectrum_is_told_before_its_points(lines):
    measure(LiveTable(lines.append), fit="odmr", flat=True, rf_modulation_frequency=1e5)
    assert "attention: rf.modulation_frequency is 100000 Hz; slow spins do not follow" in lines
    lines.clear()
    measure(LiveTable(lines.append), fit="odmr", flat=True, rf_modulation_frequency=600.0)
    assert not any(line.startswith("attention") for line in lines)


def test_fit_that_failed_is_told_with_its_reason(lines):
    measure(LiveTable(lines.append), fit="spin_inertia", flat=True)
    assert lines[-1].startswith("no fit: spin_inertia: ")


def test_run_that_was_aborted_is_told_with_its_reason(lines):
    measure(LiveTable(lines.append), fit=None, exit_status="abort")
    assert lines[-1] == "run ended with abort: lost the magnet"


def test_plan_that_says_nothing_of_its_dimensions_has_a_table(lines):
    measure(LiveTable(lines.append), None, hints={})
    assert lines[1].split() == ["point", "d_x", "d_y"] and len(lines) == 3 + 12
