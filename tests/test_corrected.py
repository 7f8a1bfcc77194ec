"""The corrected analysis: unbiased where every effect of the twin is on, and the paper's is not."""

from dataclasses import replace

import numpy as np
import pytest

from odmrlab.analysis import Curve, FitError, fit
from odmrlab.analysis.forward.answer import answer, mean_answer
from odmrlab.analysis.forward.line import Spins
from odmrlab.analysis.forward.spectra import Spectrum, fit_spectra
from odmrlab.analysis.forward.strength import fit_strength
from odmrlab.ioc.physics import Bench, Sample
from odmrlab.ioc.physics.apparatus import SECOND_SAMPLE
from odmrlab.ioc.physics.carrier import Carrier, Hole
from odmrlab.ioc.physics.nuclear_field import projected_line
from odmrlab.ioc.physics.square_wave import log_normal_t1, square_wave_answer
from odmrlab.lab.campaign.corrected import corrected
from odmrlab.lab.campaign.coverage import truth_of
from odmrlab.lab.campaign.findings import Findings
from odmrlab.lab.campaign.ladder import ladder_of
from odmrlab.lab.campaign.paper import CELLS
from odmrlab.lab.campaign.rehearsal import Rehearsal
from odmrlab.lab.campaign.results import quantities
from odmrlab.lab.campaign.scan import perform

FREQUENCY = np.geomspace(10, 1e5, 9)  # Hz
TWIN = Sample(effects=("twin",))


@pytest.mark.parametrize("flip_rate", [1e-3, 100.0, 1e5])
def test_answer_is_that_of_the_twin(flip_rate):
    twin = square_wave_answer(flip_rate, Carrier(), 1.0, 1e-4, FREQUENCY, 1) / Carrier().pump_rate
    np.testing.assert_allclose(answer(flip_rate, 1e-4, FREQUENCY), twin, rtol=1e-7)


def test_mean_answer_is_that_of_the_twin():
    many = log_normal_t1(square_wave_answer)
    twin = many(100.0, Carrier(), 1.0, np.full(9, 1e-4), FREQUENCY, 1) / Carrier().pump_rate
    np.testing.assert_allclose(mean_answer(100.0, 1e-4, FREQUENCY, 0.04), twin, rtol=1e-9)
    low, here, high = (mean_answer(100.0, 1e-4, FREQUENCY, v) for v in (-1e-3, 0.0, 1e-3))
    np.testing.assert_allclose(low + high, 2 * here, rtol=1e-12)


@pytest.mark.parametrize("frequency", [0.5, 1.0, 4.0])
def test_shape_of_a_line_is_that_of_the_twin(frequency):
    carrier = Carrier()
    centre = carrier.resonance(frequency)
    field = np.linspace(0, 1.6 * centre, 81)
    twin = projected_line(carrier, centre, field)
    ours = Spins(1.68, 0.15, 12.0, 1e3, 1e4).shape(field, frequency)
    np.testing.assert_allclose(ours / ours.max(), twin / twin.max(), atol=2e-3)


def bench(**lines) -> Bench:
    here = {"magnet_field_readback": 100.0, "rf_frequency": Carrier().g * 0.013996244917 * 100}
    return Bench(**(here | {"rf_output": 1, "laser_shutter": 1} | lines))


def test_inertia_of_the_twin_has_the_true_t1_where_the_papers_fit_is_biased():
    grid = np.geomspace(30, 1e5, 24)
    dark = TWIN.signal(bench(rf_modulation_frequency=grid, laser_shutter=0))
    blank = fit("blank", Curve(grid, dark, np.full(24, 1e-10 * (1 + 1j)))).values
    assert blank["delay"] == pytest.approx(0.5e-6, rel=1e-3)
    known = {"delay": blank["delay"], "baseline": (blank["baseline_x"], blank["baseline_y"])}
    light = bench(rf_modulation_frequency=grid, laser_power_readback=2.0)
    signal = TWIN.signal(light)
    curve = Curve(grid, signal, np.full(24, 1e-5 * abs(signal).max() * (1 + 1j)))
    found = fit("spin_inertia_corrected", curve, flip_rate=40.0, **known)
    assert found.values["t1"] == pytest.approx(130e-6, rel=1e-3)
    assert found.values["variance"] == pytest.approx(0.04, rel=0.01)
    assert fit("spin_inertia", curve, **known).values["t1"] > 1.05 * 130e-6


@pytest.mark.parametrize("flip_rate", [0.0, 40.0])
def test_curves_at_several_rf_powers_tell_the_rate_of_flips(flip_rate):
    grid, ratios, random = np.geomspace(30, 3e4, 16), (1.0, 2.0, 4.0), np.random.default_rng(1)
    curves = []
    for ratio in ratios:
        weak = max(flip_rate, 1e-3)
        signal = 1e-6 / weak * answer(ratio * weak, 6e-4, grid) / answer(1e-3, 6e-4, 1.0) * 1e-3
        noise = 2e-9 * random.standard_normal((2, 16))
        signal = signal + noise[0] + 1j * noise[1] + 3e-8  # a background besides
        curves.append(Curve(grid, signal, np.full(16, 2e-9 * (1 + 1j))))
    found = fit_strength(curves, 0.0, (5e-4, 10.0))
    assert found.t1 == pytest.approx(6e-4, rel=0.02)
    assert found.flip_rates == pytest.approx(flip_rate * np.array(ratios), abs=3 * found.errors[2])
    assert found.errors[0] < 8
    seen = fit_strength(curves, 0.0, (5e-4, 10.0), (0, 50.0, 0.1))
    assert seen.flip_rates[0] == pytest.approx(50.0, abs=5 * seen.errors[0])
    assert seen.errors[0] == pytest.approx(0.1, rel=0.05)


def test_blank_without_pick_up_has_none():
    noise = np.random.default_rng(1).normal(0, 1e-9, (2, 12))
    grid = np.geomspace(300, 1e5, 12)
    found = fit("blank", Curve(grid, noise[0] + 1j * noise[1], np.full(12, 1e-9 * (1 + 1j))))
    assert set(found.values.values()) == {0.0}
    assert found.errors["baseline_x"] == pytest.approx(1e-9 / np.sqrt(12))


def test_spectra_of_the_twin_give_back_its_line():
    sample = replace(TWIN, hole=Hole(amplitude=0.0))
    spectra = []
    for frequency in (0.5, 1.0, 2.0, 4.0):
        centre = Carrier().resonance(frequency)
        width = Carrier().width(centre)
        field = np.linspace(max(0.0, centre - 4 * width), centre + 5 * width, 61)
        here = bench(magnet_field_readback=field, rf_frequency=frequency)
        signal = sample.signal(here)
        curve = Curve(field, signal, np.full(61, 3e-3 * abs(signal).max() * (1 + 1j)))
        spectra.append(Spectrum(curve, frequency, 600.0))
    start = Spins(1.72, 0.13, 11.0, 871.1 + 3290.6 * 0.5, 1 / 60e-6, 0.04, 40.0)
    found = fit_spectra(spectra, start)
    assert found.values["g"] == pytest.approx(1.68, rel=2e-4)
    assert found.values["g_spread"] == pytest.approx(0.15, rel=5e-3)
    assert found.values["overhauser_field"] == pytest.approx(12.0, rel=5e-3)
    assert found.chi_square < found.degrees_of_freedom


@pytest.fixture(scope="module")
def rehearsed() -> Findings:
    """Rehearse the campaign without noise on the twin with all its effects."""
    second = replace(TWIN, nanocrystals=SECOND_SAMPLE)
    lab, found = Rehearsal({"main": TWIN, "#1": TWIN, "#2": second}, None), Findings()
    for cell in CELLS.values():
        perform(cell.work(found), lab)
    return found


def test_ladder_finds_the_scatter_of_t1_and_the_strength_of_the_rf(rehearsed):
    known, errors = ladder_of(rehearsed)
    assert known.variance == pytest.approx(0.04, abs=errors.variance)
    line = TWIN.electron.redistributed(300 * TWIN.coil.response(2.352), 100.0)
    assert known.flip_rate == pytest.approx(0.985 * line, rel=0.01)
    assert errors.flip_rate < 0.12 * known.flip_rate


def test_every_number_is_corrected_and_the_bias_of_the_papers_way_shows(rehearsed):
    truth, paper = truth_of(TWIN), {item.quantity: item for item in quantities(rehearsed)}
    found = corrected(rehearsed)
    assert set(found) == set(truth)
    for name, item in found.items():
        assert item.value == pytest.approx(truth[name], abs=0.15 * item.statistical), name
    biased = [n for n, item in found.items() if abs(paper[n].value - truth[n]) > 2 * item.error]
    assert {"g_electron", "t1_electron_2mW", "pump_rate", "g_slope"} <= set(biased)


def test_strange_strength_is_refused():
    curve = Curve(FREQUENCY, 1e-6 / (1 + 1j * FREQUENCY / 1e3), np.full(9, 1e-9 * (1 + 1j)))
    with pytest.raises(FitError, match="flip_rate = -1 1/s; needs zero or more"):
        fit("spin_inertia_corrected", curve, flip_rate=-1.0)
