"""The sample of the paper returns the numbers of the paper."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import curve_fit

from odmrlab.ioc.physics import Bench, Sample
from odmrlab.ioc.physics.apparatus import Detector
from odmrlab.ioc.physics.carrier import Carrier, Hole

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


@pytest.mark.parametrize("effects", [(), ("hole_window",), ("twin",)], ids=str)
def test_hole_answers_at_its_own_resonance_and_hardly_off_it(effects):
    sample = replace(Sample(effects=effects), electron=Carrier(amplitude=0.0))

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


@pytest.mark.parametrize(
    ("lines", "x", "y"),
    [
        (
            (-124.305, 1.1762, 6.03, 1, 3448.0, 1, 1.761, 0.923, 1, 5.62),
            "0x1.f4b30ebdf7083p-21",
            "-0x1.2014e0714e9e0p-21",
        ),
        (
            (-102.078, 3.0179, -7.73, 1, 740.1, 1, 1.812, 0.918, 1, 6.53),
            "0x1.6dec615ae6636p-27",
            "-0x1.7aed5741d2177p-31",
        ),
        (
            (71.351, 3.8382, -4.32, 1, 5887.3, 1, 1.834, 0.656, 1, 1.61),
            "0x1.8b26d5043923ap-44",
            "-0x1.24d3d6db4549ep-40",
        ),
        (
            (142.038, 1.4041, -3.72, 1, 41782.0, 1, 1.82, 0.995, 1, 8.1),
            "0x1.2f5f5434be5a2p-29",
            "-0x1.72c40fd22409fp-29",
        ),
        (
            (-140.896, 2.9158, -2.52, 1, 65.8, 1, 1.829, 1.87, 1, 3.34),
            "0x1.2a253bf8c75b5p-15",
            "-0x1.07c05bcc62990p-19",
        ),
    ],
)
def test_without_effects_the_signal_is_what_it_was_before_there_were_any(lines, x, y):
    """Every bit on the machine where the numbers were made; the last may differ on others."""
    signal = Sample(effects=()).signal(Bench(*lines))
    assert signal.real == pytest.approx(float.fromhex(x), rel=2e-15, abs=0)
    assert signal.imag == pytest.approx(float.fromhex(y), rel=2e-15, abs=0)
