"""The figures of the paper, drawn from data and fits."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from .data import Curve, Fit, Points

INK, FIT, SECOND = "#1f4e79", "#c0392b", "#2e7d32"
MICROVOLT = 1e6
MODEL_POINTS = 400

Measured = tuple[str, Curve, Fit]


def save(figure: Figure, path: Path) -> Path:
    """Write a figure as PNG; returns the path."""
    figure.savefig(path, dpi=150, bbox_inches="tight")
    return path


def turned(signal: NDArray, fit: Fit, suffix: str = "") -> NDArray:
    """Return the part of the signal that is in phase with a line [uV], background taken off."""
    background = complex(fit.values["background_x"], fit.values["background_y"])
    phase = np.radians(fit.values[f"phase{suffix}"])
    return ((signal - background) * np.exp(-1j * phase)).real * MICROVOLT


def error_in_phase(curve: Curve) -> NDArray:
    """Return the standard error of the turned signal [uV]; X and Y scatter alike."""
    return np.abs(curve.error) / np.sqrt(2) * MICROVOLT


def strongest(fit: Fit) -> str:
    """Return the suffix of the parameters of the stronger line."""
    return "_2" if fit.values.get("amplitude_2", 0.0) > fit.values["amplitude"] else ""


def draw_spectrum(
    axes: Axes, curve: Curve, fit: Fit, lift: float = 0.0, scale: float = 1.0
) -> None:
    """Draw one spectrum with its error bars and its fit, ``scale`` times and ``lift`` higher."""
    suffix = strongest(fit)
    data = turned(curve.signal, fit, suffix)
    bars = error_in_phase(curve)
    style = {"fmt": ".", "ms": 3, "lw": 0.8, "color": INK}
    axes.errorbar(curve.axis, scale * data + lift, scale * bars, **style)
    field = np.linspace(curve.axis.min(), curve.axis.max(), MODEL_POINTS)
    axes.plot(field, scale * turned(fit.curve(field), fit, suffix) + lift, color=FIT, lw=1)


def spectra(measured: Sequence[tuple[float, Curve, Fit]], both: Measured | None) -> Figure:
    """Draw Fig. 1(a): the spectra by rf frequency [GHz], each to its own height, and the inset."""
    figure = Figure(figsize=(7, 7), layout="constrained")
    axes = figure.add_subplot()
    for place, (frequency, curve, fit) in enumerate(measured):
        height = fit.values[f"amplitude{strongest(fit)}"] * MICROVOLT
        draw_spectrum(axes, curve, fit, lift=1.1 * place, scale=1 / height)
        axes.annotate(
            f"{frequency:g} GHz, {height:.0f} µV",
            (1.01, 1.1 * place),
            xycoords=("axes fraction", "data"),
            fontsize=8,
        )
    axes.set(xlabel="magnetic field (mT)", ylabel="signal over its peak, shifted")
    axes.set_title("Fig. 1(a): ODMR spectra, 0.5 mW, 0.6 kHz")
    if both:
        label, curve, fit = both
        inset = axes.inset_axes((0.66, 0.06, 0.33, 0.24))
        draw_spectrum(inset, curve, fit)
        inset.set_title(label, fontsize=7)
        inset.set_xlabel("field (mT)", fontsize=7)
        inset.set_ylabel("signal (µV)", fontsize=7)
        inset.tick_params(labelsize=7)
    return figure


def with_residuals(size: tuple[float, float] = (6, 5)) -> tuple[Figure, Axes, Axes]:
    """Return a figure with a large panel, and one below it for residuals in standard errors."""
    figure = Figure(figsize=size, layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[4, 1])
    below.axhline(0, color="gray", lw=0.8)
    below.set_ylabel("residual (σ)")
    return figure, above, below


def draw_series(
    points: Points, fit: Fit, labels: tuple[str, str, str], text: str, from_zero: bool = True
) -> Figure:
    """Draw a series with error bars, the fit through it, and the residuals below.

    Args:
        points: The series.
        fit: The fit through it.
        labels: Of the title, the x axis and the y axis.
        text: What the fit found.
        from_zero: Whether the x axis starts at zero.
    """
    figure, above, below = with_residuals()
    low = 0.0 if from_zero else points.x.min()
    smooth = np.linspace(low, 1.05 * points.x.max(), MODEL_POINTS)
    above.plot(smooth, fit.curve(smooth), "--", color=FIT, label=text)
    above.errorbar(points.x, points.y, points.error, fmt="o", ms=4, capsize=2, color=INK)
    pulls = (points.y - fit.curve(points.x)) / points.error
    below.errorbar(points.x, pulls, np.ones_like(pulls), fmt="o", ms=3, color=INK)
    title, x, y = labels
    above.set(title=title, ylabel=y)
    above.legend(loc="upper left")
    below.set_xlabel(x)
    return figure


def resonances(points: Points, fit: Fit) -> Figure:
    """Draw Fig. 1(b): resonance field [mT] against rf frequency [GHz], Eq. (1)."""
    labels = (
        "Fig. 1(b): resonance field against rf frequency",
        "rf frequency (GHz)",
        "resonance field (mT)",
    )
    return draw_series(points, fit, labels, f"g = {fit.values['g']:.4f} ± {fit.errors['g']:.4f}")


def widths(points: Points, fit: Fit) -> Figure:
    """Draw Fig. 1(c): line width [mT] against resonance field [mT], Eq. (2)."""
    labels = (
        "Fig. 1(c): line width, Eq. (2)",
        "resonance field (mT)",
        "width, standard deviation (mT)",
    )
    values, errors = fit.values, fit.errors
    text = (
        f"$\\Delta_N$ = {values['overhauser_field']:.2f} ± {errors['overhauser_field']:.2f} mT\n"
        f"$\\Delta g$ = {values['g_spread']:.4f} ± {errors['g_spread']:.4f}"
    )
    return draw_series(points, fit, labels, text)


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
