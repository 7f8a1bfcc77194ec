"""What a fit takes and what it gives back. Each checks itself when it is made."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray


class FitError(ValueError):
    """Data or options that allow no fit: one sentence says what came and what is needed."""


@dataclass(frozen=True, eq=False)
class Curve:
    """One run: the signal of the lock-in against what was scanned.

    Args:
        axis: Independent variable, shape (n,).
        signal: X + iY [V], shape (n,), complex.
        error: Standard error of X (real part) and of Y (imaginary part) [V], shape (n,), complex.
    """

    axis: NDArray
    signal: NDArray
    error: NDArray

    def __post_init__(self):
        _hold(self, axis=float, signal=complex, error=complex)
        _check("curve", self, np.minimum(np.real(self.error), np.imag(self.error)))

    def __len__(self) -> int:
        return len(self.axis)

    def with_signal(self, signal: NDArray) -> "Curve":
        """Put another signal on the same axis, with the same errors."""
        return replace(self, signal=signal)

    def draw(self, signal: NDArray, rng: np.random.Generator, draws: int) -> NDArray:
        """Add noise of the size of the errors to a signal, shape (draws, n)."""
        x, y = rng.normal(size=(2, draws, len(self)))
        return signal + x * np.real(self.error) + 1j * y * np.imag(self.error)

    @property
    def target(self) -> NDArray:
        """The signal in standard errors, shape (2n,)."""
        return self.standardise(self.signal)

    def standardise(self, values: NDArray) -> NDArray:
        """Divide X and Y by their own errors and put them side by side, (..., n) -> (..., 2n)."""
        x, y = np.real(values) / np.real(self.error), np.imag(values) / np.imag(self.error)
        return np.concatenate([x, y], axis=-1)

    def columns(self, basis: NDArray) -> NDArray:
        """Give each function two real coefficients, (..., k, n) -> (..., 2k, 2n)."""
        pairs = np.stack([self.standardise(basis), self.standardise(1j * basis)], axis=-2)
        return pairs.reshape(*basis.shape[:-2], 2 * basis.shape[-2], 2 * len(self))

    def coefficients(self, linear: NDArray) -> NDArray:
        """Join the real coefficients of `columns` to complex ones [V], (2k,) -> (k,)."""
        return linear[::2] + 1j * linear[1::2]


@dataclass(frozen=True, eq=False)
class Points:
    """A series: one fitted number of each run against what was changed between the runs.

    Args:
        x: Independent variable, shape (n,).
        y: Dependent variable, shape (n,).
        error: Standard error of y, shape (n,).
    """

    x: NDArray
    y: NDArray
    error: NDArray

    def __post_init__(self):
        _hold(self, x=float, y=float, error=float)
        _check("points", self, self.error)

    def __len__(self) -> int:
        return len(self.x)

    def with_signal(self, signal: NDArray) -> "Points":
        """Put another dependent variable on the same axis, with the same errors."""
        return replace(self, y=signal)

    def draw(self, signal: NDArray, rng: np.random.Generator, draws: int) -> NDArray:
        """Add noise of the size of the errors to a dependent variable, shape (draws, n)."""
        return rng.normal(signal, self.error, size=(draws, len(self)))

    @property
    def axis(self) -> NDArray:
        """The independent variable, under the name it has in a `Curve`."""
        return self.x

    @property
    def target(self) -> NDArray:
        """The dependent variable in standard errors, shape (n,)."""
        return self.standardise(self.y)

    def standardise(self, values: NDArray) -> NDArray:
        """Divide by the errors, (..., n) -> (..., n)."""
        return values / self.error

    def columns(self, basis: NDArray) -> NDArray:
        """Give each function one real coefficient, (..., k, n) -> (..., k, n)."""
        return self.standardise(basis)

    def coefficients(self, linear: NDArray) -> NDArray:
        """Leave the coefficients as they are, (k,) -> (k,)."""
        return linear


Data = Curve | Points


@dataclass(frozen=True, eq=False)
class Fit:
    """The numbers of one fit, with error bars.

    Args:
        model: Name of the model in the registry.
        version: Version of the model.
        values: Every parameter, in its unit.
        errors: Standard error of every parameter, from the errors of the data alone.
        units: Unit of every parameter.
        covariance: Covariance of the parameters in the order of `values`, shape (p, p).
        chi_square: Sum of the squared residuals in standard errors.
        degrees_of_freedom: Number of real data less number of free parameters.
        verdicts: Probability of a worse look of the residuals if the model is true, by test.
        points: Number of points fitted.
        curve: The model at the fitted values, from an axis (n,) to a signal (n,).
        options: Options that the fit was made with.
        intervals: Ends of the 68 % interval of every parameter where it is lopsided.
    """

    model: str
    version: str
    values: dict[str, float]
    errors: dict[str, float]
    units: dict[str, str]
    covariance: NDArray
    chi_square: float
    degrees_of_freedom: int
    verdicts: dict[str, float]
    points: int
    curve: Callable[[NDArray], NDArray] = field(repr=False)
    options: dict = field(default_factory=dict)
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict)

    def __post_init__(self):
        if not np.isfinite(self.chi_square):
            raise FitError(f"{self.model}: chi-square = {self.chi_square}; needs a finite one")
        for name, value in self.values.items():
            if not np.isfinite([value, self.errors[name]]).all():
                raise FitError(
                    f"{self.model}: {name} = {value} +- {self.errors[name]} [{self.units[name]}]; "
                    "needs data that determine it"
                )

    @property
    def reduced_chi_square(self) -> float:
        """Chi-square per degree of freedom: 1 if model and errors are true."""
        return self.chi_square / self.degrees_of_freedom


def _hold(data: Data, **types: type) -> None:
    """Replace what was given by arrays."""
    for name, kind in types.items():
        try:
            array = np.asarray(getattr(data, name), dtype=kind)
        except (TypeError, ValueError) as error:
            raise FitError(f"{name}: {error}; needs numbers") from error
        object.__setattr__(data, name, array)


def _check(who: str, data: Data, smallest_error: NDArray) -> None:
    """Refuse data that no fit can use."""
    arrays: dict[str, NDArray] = vars(data)
    if len({array.shape for array in arrays.values()}) > 1 or smallest_error.ndim != 1:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise FitError(f"{who}: {shapes}; needs one dimension and equally many of each")
    for name, array in arrays.items():
        _refuse(who, f"{name} is not finite", ~np.isfinite(array), "finite numbers")
    _refuse(who, "error is not above zero", smallest_error <= 0, "a standard error of every point")


def _refuse(who: str, what: str, bad: NDArray, needed: str) -> None:
    if bad.any():
        raise FitError(
            f"{who}: {what} at {bad.sum()} of {bad.size} points, first at point {bad.argmax() + 1};"
            f" needs {needed}"
        )
