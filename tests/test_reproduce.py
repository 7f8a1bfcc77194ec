"""The main job, whole: a sealed sample is measured over Channel Access and comes back as numbers.

It is killed in its middle and started again; all that is asked of it holds nevertheless.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from odmrlab.lab.campaign.paper import FIGURES

HIDDEN = """\
name = "blind"
[electron]
g = 2.05
g_spread = 0.09
overhauser_field = 9.0
dark_rate = 1400.0
pump_rate = 2500.0
[hole]
g = 0.95
overhauser_field = 20.0
dark_rate = 9000.0
pump_rate = 2500.0
"""


def truth() -> dict[str, float]:
    """Return what the blind sample holds, by Eqs. 4 and 5, at 1.6 K and 100 mT."""
    nuclei = (9.0 / 100) ** 2 / 60e-6
    hole = 9000 + 2 * 2500 + (20.0 / 100) ** 2 / 60e-6
    return {
        "g_electron": 2.05,
        "g_hole": 0.95,
        "g_spread": 0.09,
        "overhauser_field": 9.0,
        "t1_electron_2mW": 1e6 / (1400 + 2 * 2500 + nuclei),
        "t1_hole_2mW": 1e6 / hole,
        "t1_zero_power": 1e6 / (1400 + nuclei),
        "pump_rate": 2500.0,
        "tau_s": 1e6 / (1400 + 2500 * 0.125),
        "tau_c": 60.0,
        "phonon_energy": 3.2,
        "phonon_rate": 20.0,
        "g_slope": -4.0,
    }


PRECISION = {  # relative standard error at most
    "g_electron": 0.005,
    "g_hole": 0.005,
    "g_spread": 0.03,
    "overhauser_field": 0.03,
    "t1_electron_2mW": 0.04,
    "t1_hole_2mW": 0.04,
    "t1_zero_power": 0.04,
    "pump_rate": 0.04,
    "tau_s": 0.04,
    "tau_c": 0.06,
    "phonon_energy": 0.03,
    "phonon_rate": 0.2,
    "g_slope": 0.05,
}
KILLED_AFTER = 12  # runs
SMALL = [sys.executable, str(Path(__file__).parent / "small_campaign.py")]
pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """Kill the campaign of the blind sample in its middle; give its home and what it has left."""
    home = tmp_path_factory.mktemp("home")
    (home / "blind.toml").write_text(HIDDEN)
    ledger = home / "out" / "campaign.json"
    with subprocess.Popen([*SMALL, *words(home)], stdout=subprocess.PIPE, env=env(home)) as first:
        while not ledger.exists() or len(json.loads(ledger.read_text())["runs"]) < KILLED_AFTER:
            assert first.poll() is None
            time.sleep(0.05)
        first.send_signal(signal.SIGKILL)
        first.communicate()
    return home, json.loads(ledger.read_text())


@pytest.fixture(scope="module")
def blind(killed):
    """Start it again, to its end."""
    home, _ = killed
    done = subprocess.run(
        [*SMALL, *words(home)], check=False, capture_output=True, text=True, env=env(home)
    )
    assert done.returncode == 0, done.stderr
    return home, done.stdout, json.loads((home / "out" / "results.json").read_text())


def words(home) -> list[str]:
    """Return the command."""
    sample = ["--sample", str(home / "blind.toml"), "--sealed"]
    return ["reproduce", "--out", str(home / "out"), "--speed", "4000", *sample]


def env(home) -> dict[str, str]:
    """Return the environment of a laboratory of its own."""
    own = {"ODMRLAB_HOME": str(home), "TILED_PROFILES": str(home / "profiles"), "COLUMNS": "200"}
    return os.environ | own


@pytest.mark.parametrize("name", truth())
def test_hidden_truth_comes_back_within_its_error(blind, name):
    (found,) = [item for item in blind[2] if item["quantity"] == name]
    assert found["error"] < PRECISION[name] * abs(found["value"])
    assert found["value"] == pytest.approx(truth()[name], abs=4 * found["error"])


def test_results_are_those_of_the_contract_with_runs_and_fits(blind):
    assert [item["quantity"] for item in blind[2]] == [*truth(), "phonon_rate_theory"]
    for item in blind[2]:
        assert {"quantity", "unit", "paper", "value", "error", "runs", "fits"} <= item.keys()
        assert item["runs"] and item["fits"]


def test_figures_report_and_table_are_there(blind):
    home, said, results = blind
    names = {path.name for path in (home / "out").iterdir()}
    figures = {f"{name}.png" for name in FIGURES}
    assert figures | {"results.json", "report.html"} <= names
    report = (home / "out" / "report.html").read_text()
    assert all(run in report for item in results for run in item["runs"] + item["fits"])
    assert report.count("data:image/png;base64,") == len(FIGURES) and "http" not in report
    assert "t1_electron_2mW" in said


def test_every_run_is_in_the_catalogue_and_can_be_searched(blind, monkeypatch):
    from tiled.queries import Key

    from odmrlab.lab.record.catalogue import connect
    from odmrlab.lab.settings import Settings

    home, _, results = blind
    client = connect(Settings(home=home))
    assert type(client).__name__ == "CatalogOfBlueskyRuns"
    (t1,) = [item for item in results if item["quantity"] == "t1_electron_2mW"]
    (run,), (fit,) = t1["runs"], t1["fits"]
    assert client[run].metadata["start"]["technique"] == "spin_inertia"
    start = client[fit].metadata["start"]
    assert start["analysis_of"] == [run] and 1e6 * start["result"]["t1"] == t1["value"]
    fits = client.search(Key("technique") == "fit")
    wanted = {uid for item in results for uid in item["runs"] + item["fits"]}
    assert wanted <= set(client) and len(fits) > len(FIGURES)
    assert not list(home.glob("journal/*.jsonl"))


def test_truth_of_a_sealed_sample_is_nowhere(blind):
    """Neither the documents nor the report hold a number of the sample file."""
    home = blind[0]
    documents = "".join(path.read_text() for path in home.glob("journal/shipped/*.jsonl"))
    assert documents and '"Sample' not in documents
    assert "dark_rate = 1400" not in documents + (home / "out" / "report.html").read_text()


def test_a_killed_campaign_goes_on_with_what_is_missing(killed, blind):
    """The second process measures what the first had not, as one campaign."""
    (home, before), (_, said, results) = killed, blind
    after = json.loads((home / "out" / "campaign.json").read_text())
    assert f"{len(before['runs'])} runs are there already" in said
    assert after["campaign"] == before["campaign"] and after["attempt"] == 2 and after["finished"]
    assert len(after["runs"]) > len(before["runs"]) >= KILLED_AFTER
    assert before["runs"].items() <= after["runs"].items()
    kept = {run for run, _ in before["runs"].values()}
    assert kept & {run for item in results for run in item["runs"]}
