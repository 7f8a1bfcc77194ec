"""A run leaves the catalogue as CSV or NeXus and reads back with the same numbers."""

import csv
import json
import math

import h5py
import numpy as np
import pytest
from test_catalogue import a_run, uid_of
from test_cli import odmrlab
from test_fit_run import FREQUENCY, POLE, fits_of, raw_run

from odmrlab.lab.record import catalogue
from odmrlab.lab.record.export import ExportError, export
from odmrlab.lab.settings import Settings, UnwritableError


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    settings = Settings(home=tmp_path_factory.mktemp("home of Zoë"))
    catalogue.create(settings)
    return settings


@pytest.fixture(scope="module")
def client(settings):
    client = catalogue.connect(settings)
    yield client
    client.context.close()


@pytest.fixture(scope="module")
def measured(client) -> tuple[list, list]:
    """Give the documents of a run in the catalogue and of its fit, with another run beside them."""
    units = {"rf_modulation_frequency": "Hz", "lockin_x": "V", "lockin_y": "V"}
    runs = []
    for sample in ("CsPbI3 #1", "größer"):
        raw = list(raw_run(sample=sample, plan_name="spin_inertia"))
        for name, document in raw:
            if name == "descriptor":
                for column, unit in units.items():
                    document["data_keys"][column]["units"] = unit
        fit = fits_of(*raw)
        catalogue.write_run(client, raw)
        catalogue.write_run(client, fit)
        runs.append((raw, fit))
    return runs[0]


def read_csv(path):
    """Give the lines with a #, and the columns by their heads."""
    lines = path.read_text(encoding="utf-8").splitlines()
    comments = [line[2:] for line in lines if line.startswith("# ")]
    head, *rows = csv.reader(line for line in lines if not line.startswith("# "))
    return comments, dict(zip(head, zip(*rows, strict=True), strict=False))


def test_csv_has_every_number_with_its_unit(client, measured, tmp_path):
    path = export(client, uid_of(measured[0]), "csv", tmp_path)
    assert path == tmp_path / f"{uid_of(measured[0])}.csv"
    comments, columns = read_csv(path)
    assert list(columns)[:4] == [
        "time [s]",
        "rf_modulation_frequency [Hz]",
        "lockin_x [V]",
        "lockin_y [V]",
    ]
    assert list(map(float, columns["rf_modulation_frequency [Hz]"])) == FREQUENCY.tolist()
    assert list(map(float, columns["lockin_x [V]"])) == POLE.real.tolist()
    assert list(map(float, columns["lockin_y [V]"])) == POLE.imag.tolist()
    (start,) = (line for line in comments if line.startswith("start "))
    assert json.loads(start.removeprefix("start ")) == measured[0][0][1]
    assert any(line.startswith("baseline lockin_x [V]: ") for line in comments)
    (fit,) = (line for line in comments if line.startswith("fit "))
    assert uid_of(measured[1]) in fit
    assert "t1 = 0.00013 ± " in fit


def test_csv_is_read_by_numpy(client, measured, tmp_path):
    path = export(client, uid_of(measured[0]), "csv", tmp_path / "run.csv")
    table = np.genfromtxt(path, delimiter=",", skip_header=0, comments="#", encoding="utf-8")
    assert table[1:, 2] + 1j * table[1:, 3] == pytest.approx(POLE, abs=0)


def test_nexus_says_what_to_plot_and_has_every_number(client, measured, tmp_path):
    path = export(client, uid_of(measured[0])[:8], "nexus", tmp_path)
    with h5py.File(path) as file:
        entry = file[file.attrs["default"]]
        assert entry.attrs["NX_class"] == "NXentry"
        assert entry["entry_identifier"].asstr()[()] == uid_of(measured[0])
        assert json.loads(entry["start/data"].asstr()[()]) == measured[0][0][1]
        data = entry[entry.attrs["default"]]
        assert data.attrs["NX_class"] == "NXdata"
        (axis,) = data.attrs["axes"]
        np.testing.assert_array_equal(data[axis], FREQUENCY)
        assert data[axis].attrs["units"] == "Hz"
        for signal, expected in (
            (data.attrs["signal"], POLE.real),
            (data.attrs["auxiliary_signals"][0], POLE.imag),
        ):
            np.testing.assert_array_equal(data[signal], expected)
            assert data[signal].attrs["units"] == "V"
            np.testing.assert_array_equal(data[f"{signal}_errors"], np.full(20, 1e-7))
        assert entry["baseline"].attrs["NX_class"] == "NXcollection"
        assert len(entry["baseline/lockin_x"]) == 1


def test_nexus_has_the_fits_of_its_run_and_no_other(client, measured, tmp_path):
    path = export(client, uid_of(measured[0]), "nexus", tmp_path)
    expected = measured[1][2][1]["data"]
    with h5py.File(path) as file:
        fits = [
            item for item in file["entry"].values() if item.attrs.get("NX_class") == "NXprocess"
        ]
        (fit,) = fits
        assert fit["entry_identifier"].asstr()[()] == uid_of(measured[1])
        assert fit["program"].asstr()[()] == "spin_inertia"
        assert fit["t1"][()] == expected["t1"]
        assert fit["t1_errors"][()] == expected["t1_error"]
        assert fit["t1"].attrs["units"] == "s"
        np.testing.assert_array_equal(fit["covariance"], expected["covariance"])


def test_failed_fit_is_exported_with_its_reason(client, tmp_path):
    raw = list(raw_run(flagged=range(17)))
    catalogue.write_run(client, raw)
    catalogue.write_run(client, fits_of(*raw))
    path = export(client, uid_of(raw), "nexus", tmp_path)
    with h5py.File(path) as file:
        assert "3 points; needs 4 or more" in file["entry/fit_1/reason"].asstr()[()]
    comments, _ = read_csv(export(client, uid_of(raw), "csv", tmp_path))
    assert any("3 points; needs 4 or more" in line for line in comments)


def test_every_kind_of_column_survives(client, tmp_path):
    columns = {
        "picture": ("array", [2, 2], [[[1.0, 2.0], [3.0, math.nan]], [[5.0, 6.0], [7.0, 8.0]]]),
        "verdict": ("string", [], ['white, "raw"', "größer"]),
        "shot": ("integer", [], [3, 2**40]),
        "overload": ("boolean", [], [True, False]),
        "lockin_x": ("number", [], [math.nan, 1.5e-300]),
    }
    documents = a_run(columns)
    catalogue.write_run(client, documents)
    with h5py.File(export(client, uid_of(documents), "nexus", tmp_path)) as file:
        stream = file["entry/primary"]
        for name, (_, _, values) in columns.items():
            node = stream[name].asstr() if name == "verdict" else stream[name]
            np.testing.assert_array_equal(node[()], values)
    comments, table = read_csv(export(client, uid_of(documents), "csv", tmp_path))
    assert "left out, for they hold arrays: picture" in comments
    assert table["verdict"] == ('white, "raw"', "größer")
    assert list(map(int, table["shot"])) == [3, 2**40]
    assert float(table["lockin_x"][1]) == 1.5e-300


@pytest.mark.parametrize("kind", ["csv", "nexus"])
def test_run_without_events_is_exported(client, tmp_path, kind):
    documents = a_run({"x": ("number", [], [])})
    catalogue.write_run(client, documents)
    assert export(client, uid_of(documents), kind, tmp_path).exists()


@pytest.mark.parametrize("uid", ["nope", "00000000-no-such-run", ""])
def test_unknown_run_is_refused_with_a_sentence(client, tmp_path, uid):
    with pytest.raises(ExportError, match=rf"^export: '{uid}' is no run .*; needs its uid"):
        export(client, uid, "csv", tmp_path)


def test_file_that_is_there_is_replaced_only_by_force(client, measured, tmp_path):
    path = tmp_path / "run.csv"
    path.write_text("mine")
    with pytest.raises(ExportError, match=r"run.csv is there already; needs another --out, or --f"):
        export(client, uid_of(measured[0]), "csv", path)
    assert path.read_text() == "mine"
    export(client, uid_of(measured[0]), "csv", path, force=True)
    assert path.read_text().startswith("# odmrlab")
    assert list(tmp_path.iterdir()) == [path]


def test_folder_that_cannot_be_written_is_refused(client, measured, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UnwritableError, match="file cannot be written"):
        export(client, uid_of(measured[0]), "csv", tmp_path / "file" / "run.csv")


def test_command_writes_the_file_and_says_where(settings, client, measured, tmp_path):
    words = ("export", uid_of(measured[0]), "--format", "nexus", "--out", tmp_path / "run.nxs")
    done = odmrlab(*words, home=settings.home)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] == str(tmp_path / "run.nxs")
    with h5py.File(tmp_path / "run.nxs") as file:
        np.testing.assert_array_equal(file["entry/primary/lockin_x"], POLE.real)
    again = odmrlab(*words, home=settings.home)
    assert again.returncode == 2
    assert again.stderr.splitlines()[-1].startswith("odmrlab: export: ")
    assert "Traceback" not in again.stderr


@pytest.mark.parametrize("named", [0, 1], ids=["by the first", "by the last"])
def test_run_that_was_gone_on_with_is_whole_whichever_is_named(client, tmp_path, named):
    first = list(raw_run())
    later = list(raw_run(resumes=uid_of(first)))
    for documents in (first, later):
        catalogue.write_run(client, documents)
    path = export(client, uid_of((first, later)[named]), "csv", tmp_path / "whole.csv")
    rows = [line for line in path.read_text().splitlines() if line[0].isdigit()]
    both = [*first, *later]
    primary = [d["uid"] for n, d in both if n == "descriptor" and d["name"] == "primary"]
    assert len(rows) == sum(n == "event" and d["descriptor"] in primary for n, d in both) > 30
