"""The figures of the page on the physics: ``python -m odmrlab.lab.explain.figures docs/figures``."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...analysis import Curve, fit
from ...ioc.physics import Bench, Sample
from ...ioc.physics.apparatus import SECOND_SAMPLE
from ...ioc.physics.carrier import Carrier, Hole
from ...ioc.physics.rates import activated_phonons, any_field_nuclei, far_field_nuclei, phonon_pairs

INK, FIT, SECOND = "#1f4e79", "#c0392b", "#2e7d32"
LIT = Bench(rf_output=1, laser_shutter=1)
ELECTRON = Carrier()
DPI = 100


def sample(*effects: str) -> Sample:
    """Return sample #1 with some effects, and without holes."""
    return replace(Sample(effects=effects), hole=Hole(amplitude=0.0))


def line() -> Figure:
    """Draw the lines of electron and hole at 1.1 GHz, as the lock-in sees them."""
    figure, axes = panel("ODMR at 1.1 GHz, 2 mW, 3 kHz", "magnetic field (mT)", "signal X (µV)")
    field = np.linspace(-150, 150, 601)
    bench = replace(LIT, rf_frequency=1.1, rf_modulation_frequency=3e3, laser_power_readback=2.0)
    bench = replace(bench, magnet_field_readback=field)
    both, alone = Sample().signal(bench), sample().signal(bench)
    axes.plot(field, 1e6 * both.real, color=INK, label="electrons and holes")
    axes.plot(field, 1e6 * alone.real, "--", color=FIT, label="electrons alone")
    axes.legend(loc="upper center", fontsize=8)
    return figure


def rates() -> Figure:
    """Draw 1/T1 against the field: the limit of Eq. (4), and the exact nuclear part."""
    figure, axes = panel(
        "What relaxes the electron at 1.6 K, 0.125 mW", "magnetic field (mT)", "1/T1 (1/s)"
    )
    field = np.geomspace(1, 300, 200)
    for nuclei, label, style in (
        (far_field_nuclei, "Eq. (4), held below Delta_N", "--"),
        (any_field_nuclei, "any field, F(B / Delta_N)", "-"),
    ):
        rate = ELECTRON.relaxation_rate(field, 0.125, 1.6, nuclei=nuclei)
        axes.plot(field, rate, style, color=FIT if style == "--" else INK, label=label)
    light = ELECTRON.dark_rate + 0.125 * ELECTRON.pump_rate
    axes.axhline(light, color="gray", lw=0.8, label="dark rate and light")
    axes.set(xscale="log", yscale="log")
    axes.legend()
    return figure


def inertia() -> Figure:
    """Draw a spin-inertia curve as X, Y and magnitude, and X against Y."""
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    frequency = np.geomspace(20, 50e3, 200)
    centre = ELECTRON.resonance(1.0)
    bench = replace(LIT, rf_modulation_frequency=frequency, magnet_field_readback=centre)
    signal = 1e6 * sample().signal(bench)
    for part, label, colour in (
        (np.abs(signal), "magnitude, Eq. (3)", INK),
        (signal.real, "X", FIT),
        (signal.imag, "Y", SECOND),
    ):
        left.plot(frequency, part, color=colour, label=label)
    t1 = 1 / ELECTRON.relaxation_rate(centre, 0.5, 1.6)
    left.axvline(1 / (2 * np.pi * t1), color="gray", lw=0.8, label="1 / (2π T1)")
    left.set(xscale="log", xlabel="modulation frequency (Hz)", ylabel="signal (µV)")
    left.legend(fontsize=8)
    right.plot(signal.real, signal.imag, color=INK)
    right.set(xlabel="X (µV)", ylabel="Y (µV)", aspect="equal", title="one T1: a semicircle")
    return figure


def saturation() -> Figure:
    """Draw the T1 that a single pole finds against the strength of the rf."""
    figure, axes = panel(
        "Strong rf shortens the T1 that is found", "s = W T1", "T1 found / true T1"
    )
    frequency, centre = np.geomspace(100, 1e5, 20), ELECTRON.resonance(1.0)
    t1 = 1 / float(ELECTRON.relaxation_rate(centre, 2.0, 1.6))
    strength = np.geomspace(0.01, 10, 25)
    found = []
    for s in strength:
        level = 10 * np.log10(s / t1 / ELECTRON.rf_rate)
        bench = replace(LIT, rf_modulation_frequency=frequency, magnet_field_readback=centre)
        bench = replace(bench, rf_power=level, laser_power_readback=2.0)
        signal = sample("rf_saturation").signal(bench)
        error = np.full(len(frequency), 1e-4 * abs(signal).max() * (1 + 1j))
        found.append(fit("spin_inertia", Curve(frequency, signal, error)).values["t1"] / t1)
    axes.plot(strength, found, "o-", ms=3, color=INK, label="fit of Eq. (3)")
    axes.plot(strength[:15], 1 / (1 + strength[:15] / 2), "--", color=FIT, label="1 / (1 + s/2)")
    axes.set(xscale="log")
    axes.legend()
    return figure


def temperature() -> Figure:
    """Draw T1 against temperature, with Eq. (5) and with pairs of phonons."""
    figure, axes = panel("T1 of the electron at 100 mT, 0.125 mW", "temperature (K)", "$T_1$ (µs)")
    kelvin = np.linspace(1.6, 12, 200)
    for phonons, label, style in (
        (activated_phonons, "exp(-E / kT), Eq. (5)", "--"),
        (phonon_pairs, "n (n + 1)", "-"),
    ):
        rate = ELECTRON.relaxation_rate(100.0, 0.125, kelvin, phonons=phonons)
        axes.plot(kelvin, 1e6 / rate, style, color=FIT if style == "--" else INK, label=label)
    axes.set(yscale="log")
    axes.legend()
    return figure


def energy() -> Figure:
    """Draw g and Delta_N against the photon energy, and where the two samples shine."""
    figure, axes = panel("Across the ensemble", "photon energy (eV)", "g factor")
    photon = np.linspace(1.70, 1.88, 200)
    tuned = [ELECTRON.tuned(one - 1.824, 8e-3) for one in photon]
    axes.plot(photon, [one.g for one in tuned], color=INK, label="g of the electron")
    axes.legend(loc="lower left")
    other = axes.twinx()
    other.plot(photon, [one.overhauser_field for one in tuned], color=FIT, label="$\\Delta_N$")
    for name, crystals in (("#1", Sample().nanocrystals), ("#2", SECOND_SAMPLE)):
        shine = 5 * crystals.luminescence(photon)
        other.fill_between(photon, shine, alpha=0.2, label=f"luminescence of {name}")
    other.set(ylabel="$\\Delta_N$ (mT)", ylim=(0, None))
    other.legend(loc="upper center", fontsize=8)
    return figure


def panel(title: str, x: str, y: str) -> tuple[Figure, Axes]:
    """Return a figure with one panel."""
    figure = Figure(figsize=(6, 3.6), layout="constrained")
    axes = figure.add_subplot()
    axes.set(title=title, xlabel=x, ylabel=y)
    return figure, axes


FIGURES: dict[str, Callable[[], Figure]] = {
    f"physics_{draw.__name__}": draw
    for draw in (line, rates, inertia, saturation, temperature, energy)
}


def draw_all(folder: Path) -> list[Path]:
    """Draw every figure into a folder; returns the files."""
    paths = []
    for name, draw in FIGURES.items():
        paths.append(folder / f"{name}.png")
        draw().savefig(paths[-1], dpi=DPI)
    return paths


if __name__ == "__main__":
    draw_all(Path(sys.argv[1]))
