"""The sample of the paper returns the numbers of the paper."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import curve_fit

from odmrlab.ioc.physics import Bench, Sample
from odmrlab.ioc.physics.sample import Carrier, Detector, Hole

ON = Bench(rf_output=1, laser_shutter=1)


@pytest.mark.parametrize(
    ("power", "field", "t1"),
    [(0, 100, 900.0), (0.125, 100, 656.8), (0.5, 100, 363.1), (2, 100, 130.0)],
)
def test_t1_of_the_electron(power, field, t1):
    assert 1e6 / Carrier().relaxation_rate(field, power, 1.6) == pytest.approx(t1, rel=3e-3)


def test_t1_of_the_hole():
    assert 1e6 / Hole().relaxation_rate(100, 2, 1.6) == pytest.approx(70.0, rel=3e-3)


def test_phonons_take_over_at_ten_kelvin():
    assert 1e6 / Carrier().relaxation_rate(100, 0.125, 10) == pytest.approx(2.0, rel=0.05)


def test_spectra_without_noise_return_g_and_both_spreads():
    """Fit Gaussians to the electron's lines, then Eqs. 1 and 2 to their places and widths."""
    sample = replace(Sample(), hole=Hole(amplitude=0.0))
    frequency = np.array([0.5, 1, 2, 3, 4])
    lines = []
    for f in frequency:
        centre = f / (1.68 * 0.013996244917)
        field = np.linspace(centre - 4 * 20, centre + 4 * 20, 400)
        bench = replace(ON, rf_frequency=f, magnet_field_readback=field)
        signal = np.abs(sample.signal(bench))

        def line(b, height, place, width):
            return height * (
                np.exp(-((b - place) ** 2) / 2 / width**2)
                + np.exp(-((b + place) ** 2) / 2 / width**2)
            )

        (_, place, width), _ = curve_fit(line, field, signal, [signal.max(), centre, 10])
        lines.append((place, width))
    place, width = np.transpose(lines)
    g = (frequency / (0.013996244917 * place)).mean()
    slope, square = np.polyfit(place**2, width**2, 1)
    assert g == pytest.approx(1.68, rel=1e-4)
    assert np.sqrt(2 * square) == pytest.approx(12.0, rel=1e-4)
    assert g * np.sqrt(slope) == pytest.approx(0.15, rel=1e-4)


def test_the_line_is_even_in_field():
    there, back = (replace(ON, magnet_field_readback=b) for b in (37.0, -37.0))
    assert Sample().signal(there) == pytest.approx(Sample().signal(back), rel=1e-12)


def test_signal_falls_with_modulation_as_one_pole():
    frequency = np.geomspace(10, 1e5, 50)
    sample = replace(Sample(), hole=Hole(amplitude=0.0))
    bench = replace(ON, magnet_field_readback=42.5, laser_power_readback=0.5)
    signal = sample.signal(replace(bench, rf_modulation_frequency=frequency))
    t1 = 1 / Carrier().relaxation_rate(1 / (1.68 * 0.013996244917), 0.5, 1.6)
    slow = sample.signal(replace(bench, rf_modulation_frequency=1e-12))
    np.testing.assert_allclose(signal, slow / (1 + 2j * np.pi * frequency * t1), rtol=1e-9)


def test_hole_answers_at_its_own_resonance_and_hardly_off_it():
    sample = replace(Sample(), electron=Carrier(amplitude=0.0))

    def height(frequency):
        bench = replace(
            ON, rf_frequency=frequency, magnet_field_readback=100.0, laser_power_readback=2.0
        )
        return abs(sample.signal(bench))

    assert height(0.6) < 0.1 * height(1.12)


@pytest.mark.parametrize(
    "line", [{"rf_output": 0}, {"rf_modulation": 0}, {"laser_shutter": 0}], ids=str
)
def test_nothing_is_seen_while_something_is_off(line):
    assert Sample().signal(replace(ON, magnet_field_readback=42.5, **line)) == 0


def test_window_of_the_hole_is_an_effect_and_off_by_default():
    bench = replace(ON, rf_frequency=3.0, magnet_field_readback=268.0, laser_power_readback=2.0)
    seen, hidden = (Sample(effects=e).signal(bench) for e in ((), ("hole_window",)))
    assert abs(hidden) < 0.1 * abs(seen)


def test_noise_rises_with_light_and_towards_low_frequency():
    detector = Detector()
    assert detector.noise_density(1e3, 0.125) == pytest.approx(106e-9, rel=0.01)
    assert detector.noise_density(1e3, 2.0) == pytest.approx(330e-9, rel=0.01)
    assert detector.noise_density(300, 0.0) == pytest.approx(60e-9 * np.sqrt(2))


def test_signal_of_many_fields_at_once_equals_one_by_one():
    field = np.linspace(-100, 100, 7)
    together = Sample().signal(replace(ON, magnet_field_readback=field))
    single = [Sample().signal(replace(ON, magnet_field_readback=b)) for b in field]
    np.testing.assert_allclose(together, single, rtol=1e-12)
