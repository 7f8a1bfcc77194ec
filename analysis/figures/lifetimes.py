"""The figures of T1: against modulation frequency, power, field and temperature (Fig. 3)."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from ..data import Curve, Fit, Points
from ..series import ln_phonons
from .drawing import (
    FIT,
    INK,
    MODEL_POINTS,
    SECOND,
    Measured,
    draw_points,
    draw_series,
    pulls,
    with_error,
    with_residuals,
)


def inertia(measured: Sequence[Measured], title: str) -> Figure:
    """Draw Fig. 3(a): signal against modulation frequency, with Eq. (3) and residuals of X and Y."""
    figure, above, below = with_residuals()
    for colour, (label, curve, fit) in zip((INK, SECOND), measured, strict=False):
        height = fit.values["amplitude"]
        smooth = np.geomspace(curve.axis.min(), curve.axis.max(), MODEL_POINTS)
        t1, error = 1e6 * fit.values["t1"], 1e6 * fit.errors["t1"]
        text = f"{label}: $T_1$ = {t1:.1f} ± {error:.1f} µs"
        bars = np.abs(curve.error) / np.sqrt(2) / height
        style = {"fmt": "o", "ms": 3, "capsize": 2, "color": colour, "label": text}
        above.errorbar(curve.axis, np.abs(curve.signal) / height, bars, **style)
        above.plot(smooth, np.abs(fit.curve(smooth)) / height, "--", color=FIT, lw=1)
        left = curve.standardise(curve.signal - fit.curve(curve.axis))
        for residuals, marker in zip(np.split(left, 2), (".", "x"), strict=True):
            below.plot(curve.axis, residuals, marker, ms=4, color=colour)
    above.set(xscale="log", title=title, ylabel="|X + iY| over its slow limit")
    above.legend()
    below.set_xlabel("modulation frequency (Hz); residuals of X (dots) and Y (crosses)")
    return figure


def powers(points: Points, fit: Fit) -> Figure:
    """Draw the inset of Fig. 3(a): 1/T1 [1/s] against laser power [mW]."""
    labels = (
        "Fig. 3(a), inset: relaxation rate against laser power",
        "laser power (mW)",
        "$1/T_1$ (1/s)",
    )
    low, high = (1e6 * end for end in fit.intervals["t1_zero_power"])
    values, errors = fit.values, fit.errors
    text = (
        f"$T_1(P→0)$ = {1e6 * values['t1_zero_power']:.0f} µs ({low:.0f} to {high:.0f})\n"
        f"$\\kappa$ = {values['pump_rate']:.0f} ± {errors['pump_rate']:.0f} 1/s/mW"
    )
    return draw_series(points, fit, labels, text)


def draw_t1(rates: Points, fit: Fit, labels: tuple[str, str, str], text: str, **axis) -> Figure:
    """Draw T1 [us] with its fit, from rates 1/T1 [1/s], and the residuals of the rates below.

    Args:
        rates: The series that was fitted.
        fit: The fit through it.
        labels: Of the title, the x axis and the y axis.
        text: What the fit found.
        axis: More settings of the upper panel, such as its scales.
    """
    figure, above, below = with_residuals()
    smooth = np.linspace(rates.x.min(), 1.02 * rates.x.max(), MODEL_POINTS)
    above.plot(smooth, 1e6 / fit.curve(smooth), "--", color=FIT, label=text)
    draw_points(above, Points(rates.x, 1e6 / rates.y, 1e6 * rates.error / rates.y**2))
    draw_points(below, pulls(rates, fit), size=3)
    below.set_ylabel("residual\nof $1/T_1$ (σ)")
    title, x, y = labels
    above.set(title=title, ylabel=y, **axis)
    above.legend()
    below.set_xlabel(x)
    return figure


def fields(rates: Points, fit: Fit) -> Figure:
    """Draw Fig. 3(b): T1 against the magnetic field [mT], Eq. (4)."""
    values, errors = fit.values, fit.errors
    text = (
        f"$\\tau_s$ = {1e6 * values['tau_s']:.0f} ± {1e6 * errors['tau_s']:.0f} µs\n"
        f"$\\tau_c$ = {1e6 * values['tau_c']:.1f} ± {1e6 * errors['tau_c']:.1f} µs"
    )
    title = "Fig. 3(b): $T_1$ against magnetic field, 0.125 mW, Eq. (4)"
    return draw_t1(rates, fit, (title, "magnetic field (mT)", "$T_1$ (µs)"), text)


def temperatures(rates: Points, fit: Fit) -> Figure:
    """Draw Fig. 3(c): T1 against temperature [K], Eq. (5)."""
    values, errors = fit.values, fit.errors
    text = (
        f"$E_a$ = {values['phonon_energy']:.3f} ± {errors['phonon_energy']:.3f} meV\n"
        f"$\\gamma_a$ = {1e-6 * values['phonon_rate']:.1f} "
        f"± {1e-6 * errors['phonon_rate']:.1f} 1/µs"
    )
    title = "Fig. 3(c): $T_1$ against temperature, 0.125 mW, Eq. (5)"
    labels = (title, "temperature (K)", "$T_1$ (µs)")
    return draw_t1(rates, fit, labels, text, yscale="log")


def theory(rates: Points, fit: Fit, estimate: Sequence[tuple[str, float, float]]) -> Figure:
    """Draw the predictions beside the measured T1 of Fig. 3(c).

    Args:
        rates: Measured 1/T1 [1/s] against temperature [K].
        fit: The full prediction, with the rate without phonons that fits best.
        estimate: More predictions in the form of Eq. (5): label, prefactor [1/us], energy [meV].
    """
    figure = Figure(figsize=(6, 4.5), layout="constrained")
    axes = figure.add_subplot()
    smooth = np.linspace(rates.x.min(), 1.02 * rates.x.max(), MODEL_POINTS)
    full = fit.values["phonon_rate_full"]
    label = f"full integral, no cut-off, 9.07 nm: {full:.1f} 1/µs"
    axes.plot(smooth, 1e6 / fit.curve(smooth), color=FIT, label=label)
    for (name, prefactor, energy), style in zip(estimate, ("--", ":", "-."), strict=False):
        phonons = 1e6 * prefactor * np.exp(ln_phonons(energy, smooth, exact=True))
        curve = 1e6 / (fit.values["dark_rate"] + phonons)
        axes.plot(smooth, curve, style, color=SECOND, label=f"{name}: {prefactor:.1f} 1/µs")
    t1 = Points(rates.x, 1e6 / rates.y, 1e6 * rates.error / rates.y**2)
    draw_points(axes, t1, label="measured")
    axes.set(title="Two-phonon theory beside the points of Fig. 3(c)", yscale="log")
    axes.set(xlabel="temperature (K)", ylabel="$T_1$ (µs)")
    axes.legend()
    return figure


def systematics(points: Points, line: Fit, curve: Curve, fits: tuple[Fit, Fit]) -> Figure:
    """Draw what the paper's formulas leave out: the rf's own part in 1/T1, and the scatter of T1.

    Args:
        points: 1/T1 [1/s] against the strength of the rf, that of 0 dBm being 1.
        line: The line through them.
        curve: Spin inertia in depth.
        fits: Of it, with one T1 and with many.
    """
    figure = Figure(figsize=(9, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    smooth = np.linspace(0, 1.05 * points.x.max(), MODEL_POINTS)
    half = with_error(line.values["pump_rate"], line.errors["pump_rate"])
    text = f"0 dBm of rf add {half} 1/s"
    left.plot(smooth, line.curve(smooth), "--", color=FIT, label=text)
    draw_points(left, points)
    left.set(xlabel="strength of the rf (that of 0 dBm = 1)", ylabel="$1/T_1$ (1/s)")
    left.set(title="The rf's own part in 1/T1, 0.125 mW")
    left.legend()
    for fit, marker, colour in zip(fits, ("x", "."), (SECOND, INK), strict=True):
        residuals = curve.standardise(curve.signal - fit.curve(curve.axis))
        many = "variance" in fit.values
        label = f"one T1: χ²/ν = {fit.reduced_chi_square:.2f}"
        if many:
            variance = with_error(fit.values["variance"], fit.errors["variance"])
            label = f"many T1: χ²/ν = {fit.reduced_chi_square:.2f},\nvariance of ln T1 {variance}"
        right.plot(np.tile(curve.axis, 2), residuals, marker, color=colour, label=label)
    right.axhline(0, color="gray", lw=0.8)
    right.set(xscale="log", xlabel="modulation frequency (Hz)", ylabel="residuals of X and Y (σ)")
    right.set(title="One curve in depth, 2 mW")
    low, high = right.get_ylim()
    right.set_ylim(low - 0.3 * (high - low), high)  # room for the legend
    right.legend(loc="lower center")
    return figure
