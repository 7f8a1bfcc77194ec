"""The figures of resonance lines: spectra, places and widths (Figs. 1 and 2)."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ..data import Curve, Fit, Points
from ..energy import nuclear_width
from .drawing import (
    FIT,
    INK,
    MODEL_POINTS,
    SECOND,
    Measured,
    draw_points,
    draw_series,
    pulls,
    with_residuals,
)

MICROVOLT = 1e6
RESIDUAL = 0.1  # of the height of a spectrum, drawn for one standard error


def turned(signal: NDArray, fit: Fit, suffix: str = "") -> NDArray:
    """Return the part of the signal that is in phase with a line [uV], background taken off."""
    phase = np.radians(fit.values[f"phase{suffix}"])
    return ((signal - background(fit)) * np.exp(-1j * phase)).real * MICROVOLT


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


def draw_left(axes: Axes, curve: Curve, fit: Fit, lift: float) -> None:
    """Draw what a fit leaves of a spectrum, in phase with its line, ``lift`` higher."""
    left = turned(curve.signal - fit.curve(curve.axis) + background(fit), fit, strongest(fit))
    axes.axhline(lift, color="gray", lw=0.5)
    axes.plot(curve.axis, RESIDUAL * left / error_in_phase(curve) + lift, ".", ms=3, color=INK)


def background(fit: Fit) -> complex:
    """Return what a spectrum has off resonance [V]."""
    return complex(fit.values["background_x"], fit.values["background_y"])


def spectra(measured: Sequence[tuple[float, Curve, Fit]], both: Measured | None) -> Figure:
    """Draw Fig. 1(a): the spectra by rf frequency [GHz], each to its own height, and the inset.

    Beside them stands what the fits leave, in standard errors.
    """
    figure = Figure(figsize=(9.5, 7), layout="constrained")
    axes, beside = figure.subplots(1, 2, sharey=True, width_ratios=[3, 1])
    for place, (frequency, curve, fit) in enumerate(measured):
        height = fit.values[f"amplitude{strongest(fit)}"] * MICROVOLT
        draw_spectrum(axes, curve, fit, lift=1.1 * place, scale=1 / height)
        draw_left(beside, curve, fit, lift=1.1 * place)
        axes.annotate(
            f"{frequency:g} GHz, {height:.0f} µV",
            (1.02, 1.1 * place),
            xycoords=("axes fraction", "data"),
            fontsize=8,
        )
    axes.set(xlabel="magnetic field (mT)", ylabel="signal over its peak, shifted")
    axes.set_title("Fig. 1(a): ODMR spectra, 0.5 mW, 0.6 kHz")
    beside.set(xlabel="magnetic field (mT)", title=f"residuals, {1 / RESIDUAL:.0f} σ a step")
    beside.tick_params(left=False)
    if both:
        label, curve, fit = both
        inset = axes.inset_axes((0.66, 0.06, 0.33, 0.24))
        draw_spectrum(inset, curve, fit)
        inset.set_title(label, fontsize=7)
        inset.set_xlabel("field (mT)", fontsize=7)
        inset.set_ylabel("signal (µV)", fontsize=7)
        inset.tick_params(labelsize=7)
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


def heights(by_sample: Mapping[str, Points]) -> Figure:
    """Draw in place of Fig. 2(a) how high the resonance is at every photon energy [eV]."""
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.add_subplot()
    for (sample, points), colour in zip(by_sample.items(), (INK, SECOND), strict=False):
        scaled = Points(points.x, points.y * MICROVOLT, points.error * MICROVOLT)
        draw_points(axes, scaled, colour, label=f"sample {sample}")
        axes.plot(scaled.x, scaled.y, color=colour, lw=0.6, alpha=0.5)
    axes.set(title="Fig. 2(a): where the samples shine, by the height of their resonance")
    axes.set(xlabel="photon energy (eV)", ylabel="height of the resonance (µV)")
    axes.set_ylim(bottom=0)
    axes.legend()
    return figure


def energies(g: Mapping[str, Points], fit: Fit) -> Figure:
    """Draw Fig. 2(b): g factor against photon energy [eV], by sample, with the parabola."""
    figure, above, below = with_residuals()
    photon = np.concatenate([points.x for points in g.values()])
    smooth = np.linspace(photon.min() - 0.005, photon.max() + 0.005, MODEL_POINTS)
    at, values, errors = fit.options["at"], fit.values, fit.errors
    text = (
        f"g = {values['g']:.4f} ± {errors['g']:.4f} at {at} eV\n"
        f"slope {values['g_slope']:.2f} ± {errors['g_slope']:.2f} 1/eV"
    )
    above.plot(smooth, fit.curve(smooth), "--", color=FIT, label=text)
    for (sample, points), colour in zip(g.items(), (INK, SECOND), strict=False):
        draw_points(above, points, colour, label=f"sample {sample}")
        draw_points(below, pulls(points, fit), colour, size=3)
    above.set(title="Fig. 2(b): g factor against photon energy", ylabel="electron g factor")
    above.legend()
    below.set_xlabel("photon energy (eV)")
    return figure


def energy_widths(widths: Mapping[str, Points]) -> Figure:
    """Draw Fig. 2(c): line width against photon energy [eV], beside that of the nuclei alone."""
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.add_subplot()
    photon = np.concatenate([points.x for points in widths.values()])
    smooth = np.linspace(photon.min() - 0.005, photon.max() + 0.005, MODEL_POINTS)
    label = "nuclei, calculated: $(a_0/a)^{3/2}$ · 0.47 T"
    axes.plot(smooth, nuclear_width(smooth), color=FIT, label=label)
    for (sample, points), colour in zip(widths.items(), (INK, SECOND), strict=False):
        draw_points(axes, points, colour, label=f"sample {sample}")
    axes.set(title="Fig. 2(c): line width against photon energy, 1.13 GHz")
    axes.set(xlabel="photon energy (eV)", ylabel="width, standard deviation (mT)")
    axes.legend()
    return figure
