"""What all figures share: colours, error bars, residuals, and the file."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..data import Curve, Fit, Points

INK, FIT, SECOND = "#1f4e79", "#c0392b", "#2e7d32"
MODEL_POINTS = 400

Measured = tuple[str, Curve, Fit]


def save(figure: Figure, path: Path) -> Path:
    """Write a figure as PNG; returns the path."""
    figure.savefig(path, dpi=150, bbox_inches="tight")
    return path


def with_error(value: float, error: float) -> str:
    """Return a number with its error, to two digits of that."""
    digits = max(0, 1 - int(f"{error:e}".split("e")[1])) if error > 0 else 2
    return f"{value:.{digits}f} ± {error:.{digits}f}"


def draw_points(
    axes: Axes,
    points: Points,
    colour: str = INK,
    size: float = 4,
    label: str | None = None,
) -> None:
    """Draw a series as dots with error bars."""
    axes.errorbar(
        points.x,
        points.y,
        points.error,
        fmt="o",
        ms=size,
        capsize=2,
        color=colour,
        label=label,
    )


def pulls(points: Points, fit: Fit) -> Points:
    """Return what the fit leaves of a series, in standard errors."""
    return Points(points.x, (points.y - fit.curve(points.x)) / points.error, np.ones_like(points.y))


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
    draw_points(above, points)
    draw_points(below, pulls(points, fit), size=3)
    title, x, y = labels
    above.set(title=title, ylabel=y)
    above.legend(loc="upper left")
    below.set_xlabel(x)
    return figure
