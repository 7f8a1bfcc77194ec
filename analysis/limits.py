"""How well a scan can tell its parameters, before it is measured: the Cramér-Rao bound."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .data import Curve, FitError
from .inertia import SpinInertia, low_pass
from .line_shapes import gaussian
from .lines import Odmr
from .models import fit
from .projection import derivatives

PLANNED: dict[str, SpinInertia | Odmr] = {model.name: model for model in (SpinInertia(), Odmr())}
"""The models of one run, by name: those whose errors can be predicted."""

READINGS = ("phase known", "phase free", "amplitude only")
"""What is known of, or read from, a spin-inertia curve; its amplitude is always free."""


def predicted_errors(
    model: str, axis: ArrayLike, values: Mapping[str, float], error: ArrayLike, **options: Any
) -> dict[str, float]:
    """Predict the standard errors that the fit of a scan would have.

    They are those of the fit of the scan without noise, so prediction and fit cannot differ.

    Args:
        model: `odmr` or `spin_inertia`.
        axis: Where the signal would be measured, shape (n,).
        values: The truth, by the names that the fit gives, in its units. A second line, an offset
            and a background of spin inertia are free if they are among the values.
        error: Standard error of X and of Y, of all or of each point [V].
        options: `shape` of the lines of `odmr`.

    Raises:
        FitError: A scan that the fit would refuse even without noise, as one with a line that
            the errors hide, or that the axis misses.
    """
    if model not in PLANNED:
        raise FitError(f"predicted_errors: model {model!r}; needs one of {', '.join(PLANNED)}")
    axis = np.asarray(axis, dtype=float)
    try:
        signal = PLANNED[model].signal(values, axis, **options)
    except KeyError as missing:
        raise FitError(f"predicted_errors: {model} has no value of {missing}; needs one") from None
    if model == "odmr":
        free = {"offset": "field_offset" in values, "lines": 1 + ("field_2" in values)}
    else:
        free = {"offset": "background_x" in values or "background_y" in values}
    spread = np.broadcast_to(np.asarray(error, dtype=float), axis.shape)
    return fit(model, Curve(axis, signal, spread * (1 + 1j)), **options, **free).errors


def bounds(signal: Callable[[NDArray], NDArray], theta: ArrayLike, error: ArrayLike) -> NDArray:
    """Return the least standard error of every parameter that an unbiased estimate can have.

    Args:
        signal: Real or complex signal (n,) of the parameters (q,), which are of the order of one.
        theta: The truth, shape (q,).
        error: Standard error of each real reading, of all or of each point.

    Returns:
        Shape (q,); infinite for a parameter that the signal leaves open.
    """

    def standardised(theta: NDArray) -> NDArray:
        reading = np.broadcast_to(signal(theta) / error, np.shape(signal(theta)))
        return np.concatenate([reading.real, reading.imag])

    jacobian = np.column_stack(derivatives(standardised, np.asarray(theta, dtype=float)))
    scale = np.linalg.norm(jacobian, axis=0)
    scale = np.where(scale > 0, scale, 1)
    _, singular, axes = np.linalg.svd(jacobian / scale, full_matrices=False)
    told = singular > 1e-7 * singular[0]  # derivatives are good to some 1e-10
    variance = np.sum((axes[told] / singular[told, None]) ** 2, axis=0)
    # A parameter with a share in what is not told is open.
    open_share = 1 - np.sum(axes[told] ** 2, axis=0)
    return np.where(open_share < 1e-7, np.sqrt(variance) / scale, np.inf)


def inertia_bound(
    frequency: ArrayLike, t1: float, amplitude: float, error: ArrayLike, reading: str = "phase free"
) -> float:
    """Return the least standard error of ln T1 of a spin-inertia curve, Eq. (3).

    Args:
        frequency: Modulation frequencies [Hz], shape (n,).
        t1: T1 [s].
        amplitude: Signal at low frequency [V].
        error: Standard error of X and of Y, of all or of each point [V].
        reading: One of `READINGS`.
    """
    if reading not in READINGS:
        raise FitError(f"inertia_bound: reading={reading!r}; needs one of {', '.join(READINGS)}")
    frequency = np.asarray(frequency, dtype=float)

    def signal(theta: NDArray) -> NDArray:
        ln_t1, ln_amplitude, *phase = theta
        pole = low_pass(np.array([np.log(t1) + ln_t1]), frequency)[0]
        wave = np.exp(ln_amplitude + 1j * sum(phase)) * pole
        return np.abs(wave) if reading == "amplitude only" else wave

    theta = np.zeros(3 if reading == "phase free" else 2)
    return float(bounds(signal, theta, np.asarray(error) / amplitude)[0])


def line_bound(
    field: ArrayLike,
    centre: float,
    width: float,
    amplitude: float,
    error: ArrayLike,
    background: bool = False,
    slope: bool = False,
) -> dict[str, float]:
    """Return the least standard errors [mT] of field and width of one Gaussian line.

    Args:
        field: Where the signal is read [mT], shape (n,).
        centre: Resonance field [mT]. The line at the other sign of the field is left out.
        width: Standard deviation of the line [mT].
        amplitude: Height of the line [V].
        error: Standard error of a reading along the phase of the line, of all or each point [V].
        background: A constant beneath the line is free.
        slope: A straight line beneath it is free.
    """
    distance = (np.asarray(field, dtype=float) - centre) / width
    beneath = [np.ones_like(distance)] * background
    beneath += [distance] * slope

    def signal(theta: NDArray) -> NDArray:
        place, ln_width, ln_height, *levels = theta
        line = np.exp(ln_height) * gaussian(distance - place, np.exp(ln_width))
        return line + sum(level * function for level, function in zip(levels, beneath, strict=True))

    found = width * bounds(signal, np.zeros(3 + len(beneath)), np.asarray(error) / amplitude)
    return {"field": float(found[0]), "width": float(found[1])}
