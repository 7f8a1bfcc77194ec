"""Each effect alone, and all together, against what a paper-style fit makes of them."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import curve_fit, least_squares

from odmrlab.ioc.physics import Bench, Sample
from odmrlab.ioc.physics.apparatus import SECOND_SAMPLE
from odmrlab.ioc.physics.carrier import Carrier, Hole
from odmrlab.ioc.physics.effects import EFFECTS, TWIN, Steps, steps_with

pytestmark = pytest.mark.filterwarnings("ignore:Covariance:scipy.optimize.OptimizeWarning")

MAGNETON = 0.013996244917  # GHz/mT
WEAK = Bench(rf_output=1, laser_shutter=1, rf_power=-40.0, rf_modulation_frequency=600.0)
FREQUENCIES = np.array([0.5, 0.75, 1, 1.25, 1.5, 2, 2.5, 3, 3.5, 4])  # GHz
# nothing of these is in the shape of a weak electron line at 1.824 eV
SHAPELESS = set(EFFECTS) - {
    "g_skew",
    "nuclear_field_line",
    "nuclear_field_projection",
    "field_dependent_t1",
}


def electrons(*effects, **parts):
    return replace(Sample(effects=effects), hole=Hole(amplitude=0.0), **parts)


def bell(field, height, place, width, level):
    return level + height * np.exp(-0.5 * ((field - place) / width) ** 2)


def two_bells(field, height, place, width, level):
    return bell(field, height, place, width, level) + bell(field, height, -place, width, 0.0)


def lines(sample, bench, model, first, span):
    """Return place and width [mT] of the Gaussians fitted to the spectra, shape (10, 2)."""
    found = []
    for frequency in FREQUENCIES:
        centre = Carrier().resonance(frequency)
        width = Carrier().width(centre)
        field = np.linspace(max(first, centre - span * width), centre + span * width, 200)
        bench = replace(bench, rf_frequency=frequency, magnet_field_readback=field)
        signal = np.abs(sample.signal(bench))
        start = [1, centre, width, 0]
        found.append(curve_fit(model, field, signal / signal.max(), start)[0][1:3])
    return np.abs(found)


def paper_fit(sample, bench=WEAK, model=bell, first=2.0, span=3.0):
    """Fit Eqs. 1 and 2: g with and without intercept, the intercept [MHz], Delta_N, Delta_g."""
    place, width = lines(sample, bench, model, first, span).T
    slope, intercept = np.polyfit(place, FREQUENCIES, 1)
    spread, square = np.polyfit(place**2, width**2, 1)
    return {
        "g": (FREQUENCIES * place).sum() / (place**2).sum() / MAGNETON,
        "slope": slope / MAGNETON,
        "intercept": 1e3 * intercept,
        "overhauser_field": np.sqrt(2 * square),
        "g_spread": 1.68 * np.sqrt(spread),
        "shift": (place - Carrier().resonance(FREQUENCIES))[[0, 2, 5, 9]],
    }


SHIFTED = {  # effects: g, g with intercept, intercept [MHz], Delta_N, Delta_g, shifts [mT]
    (): (1.680, 1.680, 0, 12.0, 0.150, (0, 0, 0, 0)),
    ("g_skew",): (1.666, 1.672, -9, 12.2, 0.145, (0.3, 0.6, 0.9, 1.1)),
    ("nuclear_field_line",): (1.679, 1.635, 70, 13.3, 0.139, (-4.9, -1.2, 0, 0.7)),
    ("nuclear_field_projection",): (1.677, 1.650, 44, 12.7, 0.144, (-2.4, -1.0, 0.1, 0.7)),
    ("field_dependent_t1",): (1.669, 1.727, -93, 10.9, 0.155, (5.9, 2.05, 0.5, 0.15)),
    ("g_skew", "field_dependent_t1"): (1.656, 1.719, -102, 10.8, 0.152, (6.2, 2.6, 1.4, 1.3)),
    ("nuclear_field_projection", "nuclear_field_relaxation", "field_dependent_t1"): (
        *(1.668, 1.695, -45, 11.6, 0.149),
        (3.0, 1.1, 0.6, 0.8),
    ),
    ("twin",): (1.668, 1.694, -41, 11.6, 0.150, (2.9, 1.05, 0.55, 0.85)),
}


@pytest.mark.parametrize("effects", SHIFTED, ids=lambda effects: "+".join(effects) or "none")
def test_a_paper_style_fit_is_shifted(effects):
    """The tolerances of both spreads are what another window of the fits makes of them."""
    g, slope, intercept, overhauser_field, g_spread, shift = SHIFTED[effects]
    fit = paper_fit(electrons(*effects))
    assert fit["g"] == pytest.approx(g, abs=1.1e-3)
    assert fit["slope"] == pytest.approx(slope, abs=1.5e-3)
    assert fit["intercept"] == pytest.approx(intercept, abs=2.2)
    assert fit["overhauser_field"] == pytest.approx(overhauser_field, abs=0.25)
    assert fit["g_spread"] == pytest.approx(g_spread, abs=3.3e-3)
    assert fit["shift"] == pytest.approx(shift, abs=0.08)


@pytest.mark.parametrize("effect", sorted(SHAPELESS))
def test_the_other_effects_leave_weak_lines_at_the_reference_energy_alone(effect):
    fit, paper = paper_fit(electrons(effect)), paper_fit(electrons())
    assert fit["g"] == pytest.approx(paper["g"], abs=1e-4)
    assert fit["overhauser_field"] == pytest.approx(paper["overhauser_field"], abs=0.02)
    assert fit["g_spread"] == pytest.approx(paper["g_spread"], abs=2e-4)


@pytest.mark.parametrize(
    ("saturation", "overhauser_field", "g_spread"),
    [(0.1, 12.2, 0.155), (0.3, 12.7, 0.164), (1, 14.05, 0.191), (3, 17.0, 0.248)],
)
def test_saturation_widens_lines_and_moves_none(saturation, overhauser_field, g_spread):
    """One rf power for all lines, W T1 as given at 1 GHz."""
    t1 = 1 / Carrier().relaxation_rate(Carrier().resonance(1.0), 0.5, 1.6)
    bench = replace(WEAK, rf_power=10 * np.log10(saturation / t1 / 300))
    fit = paper_fit(electrons("rf_saturation"), bench, two_bells, first=-500.0, span=4.0)
    assert fit["g"] == pytest.approx(1.68, abs=1e-3)
    assert fit["overhauser_field"] == pytest.approx(overhauser_field, abs=0.06)
    assert fit["g_spread"] == pytest.approx(g_spread, abs=1e-3)


@pytest.mark.parametrize("effect", EFFECTS)
def test_every_effect_shows_somewhere_and_says_what_it_is(effect):
    bench = replace(
        WEAK,
        rf_frequency=3.0,
        rf_power=20.0,
        magnet_field_readback=180.0,
        laser_energy_readback=1.75,
        laser_power_readback=2.0,
        cryostat_temperature_readback=8.0,
    )
    assert Sample(effects=(effect,)).signal(bench) != pytest.approx(
        Sample().signal(bench), rel=1e-6, abs=0
    )
    assert EFFECTS[effect][0].isupper()
    assert EFFECTS[effect].endswith(".")


def test_twin_names_them_all():
    assert steps_with(["twin"]) == steps_with(EFFECTS) == steps_with(["twin", "g_skew"])
    assert {effect.step for effect in TWIN.values()} == set(Steps.__dataclass_fields__)
    assert steps_with([]) == Steps()


def test_second_harmonic_needs_saturation():
    bench = replace(WEAK, rf_power=0.0, magnet_field_readback=np.array([30.0, 42.0]))
    np.testing.assert_array_equal(Sample().signal(bench, harmonic=2), [0, 0])
    assert np.all(Sample(effects=("rf_saturation",)).signal(bench, harmonic=2) != 0)


def test_saturated_signal_tends_to_the_paper_for_weak_rf():
    bench = replace(WEAK, rf_power=-60.0, rf_modulation_frequency=np.geomspace(10, 1e5, 9))
    bench = replace(bench, magnet_field_readback=42.0)
    strong, weak = (Sample(effects=e).signal(bench) for e in (("rf_saturation",), ()))
    np.testing.assert_allclose(strong, weak, rtol=1e-4)


def test_signal_has_the_size_of_the_paper():
    """80 uV at 2 mW, 93.6 mT, 2.2 GHz, 1 mW of rf and slow modulation."""
    bench = Bench(93.6, 2.2, 0.0, 1, 1e-3, 1, 1.824, 2.0, 1)
    assert abs(electrons("coil_response").signal(bench)) == pytest.approx(80e-6, rel=0.01)


@pytest.mark.parametrize(("rf_power", "expected"), [(0.3, 0.878e-3), (1.0, 0.833e-3)])
def test_rf_shortens_t1_in_the_limit_of_no_light(rf_power, expected):
    """T1 by complex fits of Eq. 3 at five laser powers, their rates extrapolated to none."""
    frequency, laser_power = np.geomspace(100, 1e5, 20), np.array([0.125, 0.25, 0.5, 1, 2])
    share = 1 / (1 + (2.0 / 2.5) ** 2)  # of the coil at 2 GHz
    centre = Carrier().resonance(2.351)  # 100 mT
    bench = replace(WEAK, rf_frequency=2.351, rf_power=10 * np.log10(share * rf_power))
    bench = replace(bench, magnet_field_readback=centre, rf_modulation_frequency=frequency)
    rates = []
    for power in laser_power:
        curve = electrons("rf_saturation").signal(replace(bench, laser_power_readback=power))
        curve = curve / abs(curve).max()

        def misfit(parameters, curve=curve):
            pole = 1 + 2j * np.pi * frequency * 1e-3 * np.exp(parameters[1])
            return (parameters[0] / pole - curve).view(float)

        rates.append(1e3 / np.exp(least_squares(misfit, [1, -1]).x[1]))
    slope, dark = np.polyfit(laser_power, rates, 1)
    assert 1 / dark == pytest.approx(expected, abs=1e-6)
    assert slope == pytest.approx(3291, abs=2)


@pytest.mark.parametrize(
    ("energy", "g", "overhauser_field"),
    [(1.72, 2.13, 6.0), (1.78, 1.86, 9.6), (1.824, 1.68, 12.0), (1.87, 1.50, 14.4)],
)
def test_carriers_follow_the_photon_energy(energy, g, overhauser_field):
    electron, hole = (kind.tuned(energy - 1.824, 0.008) for kind in (Carrier(), Hole()))
    assert electron.g == pytest.approx(g, abs=5e-3)
    assert electron.g + hole.g == pytest.approx(2.48)
    assert electron.overhauser_field == pytest.approx(overhauser_field, abs=0.1)
    assert electron.g_spread == pytest.approx(0.15, abs=2e-3)


def test_tuned_laser_moves_the_line_and_follows_the_luminescence():
    field = np.linspace(25, 70, 181)
    bench = replace(WEAK, rf_frequency=1.13, magnet_field_readback=field)
    for energy, place in ((1.75, 40.5), (1.824, 48.06), (1.87, 53.7)):
        signal = abs(
            electrons("photon_energy").signal(replace(bench, laser_energy_readback=energy))
        )
        assert field[signal.argmax()] == pytest.approx(place, abs=0.3)
    second = electrons("photoluminescence", nanocrystals=SECOND_SAMPLE)
    for sample, peak in ((electrons("photoluminescence"), 1.805), (second, 1.745)):
        energy = np.linspace(1.70, 1.879, 1791)
        here = replace(bench, magnet_field_readback=48.0, laser_energy_readback=energy)
        assert energy[abs(sample.signal(here)).argmax()] == pytest.approx(peak, abs=1e-3)


def test_detector_turns_the_signal_by_18_degrees_more_at_100_khz():
    bench = replace(WEAK, magnet_field_readback=42.0, rf_modulation_frequency=np.array([1e-3, 1e5]))
    turn = electrons("detector_delay").signal(bench) / electrons().signal(bench)
    np.testing.assert_allclose(np.angle(turn, deg=True), [-5, -23], atol=1e-6)


def test_pickup_needs_no_light_and_has_no_even_harmonic():
    sample, dark = Sample(effects=("rf_pickup",)), replace(WEAK, laser_shutter=0, rf_power=0.0)
    assert abs(sample.signal(dark)) == pytest.approx(160e-9)
    assert sample.signal(dark, harmonic=2) == 0
    assert sample.signal(replace(dark, rf_output=0)) == 0


def test_heating_and_phonons_shorten_t1():
    hot = replace(
        WEAK,
        magnet_field_readback=42.5,
        cryostat_temperature_readback=8.0,
        laser_power_readback=2.0,
    )
    for effect in ("laser_heating", "phonon_pairs"):
        assert abs(electrons(effect).signal(hot)) < 0.98 * abs(electrons().signal(hot))


@pytest.mark.parametrize("effects", [(), ("twin",)], ids=["paper", "twin"])
@pytest.mark.parametrize("harmonic", [1, 2])
def test_any_line_of_the_bench_may_be_an_array(effects, harmonic):
    sample, random = Sample(effects=effects), np.random.default_rng(1)
    ranges = {
        "magnet_field_readback": (-100, 100),
        "rf_frequency": (0.3, 4),
        "rf_power": (-10, 20),
        "rf_output": (0.6, 1.6),
        "rf_modulation_frequency": (10, 1e5),
        "rf_modulation": (0.6, 1.6),
        "laser_energy_readback": (1.70, 1.879),
        "laser_power_readback": (0, 5),
        "laser_shutter": (0.6, 1.6),
        "cryostat_temperature_readback": (1.5, 20),
    }
    columns = {name: random.uniform(*limits, (3, 4)) for name, limits in ranges.items()}
    for switch in ("rf_output", "rf_modulation", "laser_shutter"):
        columns[switch] = columns[switch].astype(int)
    together = sample.signal(Bench(**columns), harmonic)
    assert together.shape == (3, 4)
    for place in np.ndindex(3, 4):
        single = Bench(**{name: column[place].item() for name, column in columns.items()})
        assert together[place] == pytest.approx(
            sample.signal(single, harmonic), rel=1e-9, abs=1e-30
        )
    for name, column in columns.items():
        one = replace(WEAK, **{name: column[0]})
        assert np.isfinite(sample.signal(one, harmonic)).all()
