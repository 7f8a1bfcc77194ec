"""Lines of field scans: exact, unbiased, with errors that are true, one line or two."""

import numpy as np
import pytest

from odmrlab.analysis import Curve, FitError, fit

SCAN = np.linspace(0, 150, 61)  # mT
BOTH_SIGNS = np.linspace(-120, 120, 61)  # mT
ELECTRON = (42.53, 9.29, 10e-6, 17.0)  # mT, mT, V, deg: 1 GHz
INSET = (46.8, 9.5, 10e-6, -30.0), (98.2, 19.0, 1e-6, 40.0)  # Fig. 1(a): electron and hole, 1.1 GHz


def spectrum(*lines, scan=SCAN, offset=0.0, noise=1e-10, rng=None):
    signal = np.full(len(scan), 1e-7 - 2e-7j)
    for field, width, amplitude, phase in lines:
        shape = sum(np.exp(-0.5 * ((scan - offset - s * field) / width) ** 2) for s in (1, -1))
        signal = signal + amplitude * np.exp(1j * np.radians(phase)) * shape
    if rng:
        signal = signal + noise * (rng.normal(size=(2, len(scan))).T @ [1, 1j])
    return Curve(scan, signal, np.full(len(scan), noise * (1 + 1j)))


def pulls(fits, **truth):
    """Give mean and width of the deviations from the truth in published errors."""
    deviations = [
        [(found.values[name] - value) / found.errors[name] for name, value in truth.items()]
        for found in fits
    ]
    return np.mean(deviations, axis=0), np.std(deviations, axis=0)


def test_noiseless_line_is_recovered_exactly():
    assert fit("odmr", spectrum(ELECTRON)).values == pytest.approx(
        {
            "field": 42.53,
            "width": 9.29,
            "amplitude": 10e-6,
            "phase": 17.0,
            "background_x": 1e-7,
            "background_y": -2e-7,
        },
        rel=1e-6,
    )


def test_half_difference_of_both_signs_is_free_of_the_offset():
    data = spectrum(ELECTRON, scan=BOTH_SIGNS, offset=2.0)
    found = fit("odmr", data, offset=True).values
    assert found["field"] == pytest.approx(42.53, rel=1e-6)
    assert found["field_offset"] == pytest.approx(2.0, rel=1e-6)


def test_scan_of_negative_fields_gives_a_positive_field():
    found = fit("odmr", spectrum(ELECTRON, scan=-SCAN)).values
    assert found["field"] == pytest.approx(42.53, rel=1e-6)


@pytest.mark.parametrize("offset", [False, True])
def test_scatter_of_field_and_width_is_what_the_fit_says(offset):
    rng = np.random.default_rng(11)
    scan = BOTH_SIGNS[::2] if offset else SCAN[::3]
    fits = [
        fit("odmr", spectrum(ELECTRON, scan=scan, noise=0.5e-6, rng=rng), offset=offset)
        for _ in range(200)
    ]
    mean, width = pulls(fits, field=42.53, width=9.29, amplitude=10e-6, phase=17.0)
    assert np.all(abs(mean) < 0.15)
    assert np.all((0.85 < width) & (width < 1.15))


@pytest.mark.parametrize("share", [0.05, 0.1, 0.2, 1.0])
@pytest.mark.parametrize("scan", [SCAN, np.linspace(-160, 160, 65)])
def test_weak_broad_second_line_is_recovered(share, scan):
    """Inset of Fig. 1(a) at a peak of 100 times the noise, whatever the two phases."""
    rng = np.random.default_rng(7)
    electron, hole = INSET
    hole = (*hole[:2], share * electron[2], rng.uniform(-180, 180))
    data = spectrum(electron, hole, scan=scan, noise=0.1e-6, rng=rng)
    found = fit("odmr", data, lines=2)
    mean, _ = pulls([found], field=46.8, width=9.5, field_2=98.2, width_2=19.0)
    assert np.all(abs(mean) < 4)
    assert found.verdicts["chi_square_p"] > 1e-3


def test_line_at_the_lower_field_comes_first():
    electron, hole = INSET
    found = fit("odmr", spectrum(electron, (98.2, 19.0, 30e-6, 40.0)), lines=2).values
    assert found["field"] == pytest.approx(electron[0], rel=1e-5)
    assert found["field_2"] == pytest.approx(hole[0], rel=1e-5)
    assert found["amplitude_2"] == pytest.approx(30e-6, rel=1e-5)


@pytest.mark.parametrize(
    ("data", "options", "sentence"),
    [
        (spectrum(ELECTRON, scan=SCAN[:6]), {}, r"^odmr: 6 points; needs 7 or more$"),
        (spectrum(ELECTRON, scan=SCAN[:10]), {"lines": 2}, r"^odmr: 10 points; needs 11 or more$"),
        (spectrum(ELECTRON), {"lines": 3}, r"^odmr: lines=3; needs 1 or 2$"),
        (
            spectrum(ELECTRON),
            {"offset": True},
            r"fields 0 to 150 mT; needs both signs of the field",
        ),
        (spectrum(ELECTRON, scan=np.full(9, 40.0)), {}, r"one field only; needs a scan"),
        (spectrum(), {}, r"one more line does not beat a constant: chi-square falls by"),
        (
            spectrum(noise=1e-7, rng=np.random.default_rng(0)),
            {},
            r"one more line does not beat a constant: chi-square falls by",
        ),
        (
            spectrum(ELECTRON, noise=1e-7, rng=np.random.default_rng(0)),
            {"lines": 2},
            r"one more line does not beat one line: .* needs to fall by more than 33.4$",
        ),
        (spectrum(ELECTRON, scan=SCAN[26:]), {}, r"at the edge of the search \(field 65,"),
    ],
)
def test_bad_spectrum_is_refused_with_a_sentence(data, options, sentence):
    with pytest.raises(FitError, match=sentence):
        fit("odmr", data, **options)


def test_one_bad_point_is_not_taken_for_a_line():
    data = spectrum(noise=1e-7, rng=np.random.default_rng(0))
    data.signal[30] += 3e-6
    with pytest.raises(FitError, match=r"needs lines inside .* wider than its step"):
        fit("odmr", data)


def test_second_line_is_not_looked_for_in_a_lesser_valley():
    # one line takes a part of the other to itself; from there the way leads to chi-square 72 a point
    wide, scan = [(26.8, 11.4, 24e-6, -44.3), (86.3, 18.7, 13e-6, -51.5)], np.linspace(0, 250, 101)
    found = fit("odmr", spectrum(*wide, scan=scan, noise=2e-7), lines=2)
    assert found.reduced_chi_square < 1e-6
    assert [found.values["field"], found.values["field_2"]] == pytest.approx([26.8, 86.3])


def test_two_lines_alike_are_found_though_one_line_lays_itself_over_both():
    scan = np.linspace(0, 119, 61)
    found = fit("odmr", spectrum((26, 11, 4e-6, -20), (76, 20, 3.5e-6, -23), scan=scan), lines=2)
    assert found.values["field"] == pytest.approx(26)
    assert found.values["field_2"] == pytest.approx(76)
