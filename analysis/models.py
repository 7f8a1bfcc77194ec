"""The models by name: what they share, and the one way to use them."""

import inspect
from abc import ABC, abstractmethod
from contextlib import suppress
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import block_diag
from scipy.special import bdtr, chdtrc, chdtri

from .data import Curve, Data, Fit, FitError, Points
from .projection import Optimum

MODELS: dict[str, "Model"] = {}
"""Every model by its name."""

FALSE_ALARM = 1e-6
"""Probability to take noise for a signal at one place; small, for a search looks at many places."""


class Model(ABC):
    """One fit. To define a subclass is to register it.

    Class attributes: `name` in the registry, `version` to be raised when results change,
    `takes` the kind of data, `minimum_points` with no options set, `units` of all parameters.
    """

    name: ClassVar[str]
    version: ClassVar[str]
    takes: ClassVar[type[Curve] | type[Points]]
    minimum_points: ClassVar[int]
    units: ClassVar[dict[str, str]]

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        MODELS[cls.name] = cls()

    @abstractmethod
    def fit(self, data: Any, **options: Any) -> Fit:
        """Fit the data or raise `FitError`."""

    def fit_many(self, data: Any, signals: NDArray, **options: Any) -> dict[str, NDArray]:
        """Fit many signals on the axis and with the errors of the data; one by one, if need be.

        Args:
            data: Axis and errors.
            signals: One signal in each row, shape (N, n).
            options: Those of `fit`.

        Returns:
            Every parameter by name, shape (N,) less those that allow no fit.
        """
        fits = []
        for signal in signals:
            with suppress(FitError):
                fits.append(fit(self.name, data.with_signal(signal), **options).values)
        return {name: np.array([values[name] for values in fits]) for name in next(iter(fits), ())}

    def require(self, holds: Any, sentence: str) -> None:
        """Raise the sentence as a `FitError` in the name of the model unless all of it holds."""
        if not np.all(holds):
            raise FitError(f"{self.name}: {sentence}")

    def require_points(self, data: Data, more: int = 0) -> None:
        """Refuse fewer points than parameters and one; `more` parameters are free by options."""
        needed = self.minimum_points + more
        self.require(len(data) >= needed, f"{len(data)} points; needs {needed} or more")

    def gain(self, simple: Optimum, optimum: Optimum) -> tuple[float, float]:
        """Return how much chi-square falls from a simpler model to the one around it, and must.

        The gain must be beyond chance (`FALSE_ALARM`), counted in the scatter that is there if that
        is larger than the errors say.
        """
        scatter = max(1.0, optimum.chi_square / optimum.degrees_of_freedom)
        extra = simple.degrees_of_freedom - optimum.degrees_of_freedom
        return (simple.chi_square - optimum.chi_square) / scatter, chdtri(extra, FALSE_ALARM)

    def gains(self, simple: Optimum, optimum: Optimum) -> bool:
        """Tell whether a model explains the data better than the simpler one inside it."""
        gain, needed = self.gain(simple, optimum)
        return gain > needed

    def require_gain(self, simple: Optimum, optimum: Optimum, what: str) -> None:
        """Refuse a model that explains the data no better than the simpler one inside it does."""
        gain, needed = self.gain(simple, optimum)
        self.require(
            gain > needed,
            f"{what}: chi-square falls by {gain:.1f}; needs to fall by more than {needed:.1f}",
        )

    def require_determined(self, data: Data, optimum: Optimum) -> None:
        """Refuse data that leave some combination of the parameters open."""
        self.require(
            optimum.determined,
            f"{len(data)} points do not tell {optimum.jacobian.shape[1]} parameters apart; "
            "needs points where the model changes, or fewer parameters",
        )

    def result(
        self,
        data: Data,
        optimum: Optimum,
        values: dict[str, float],
        jacobian: ArrayLike,
        known: tuple[float, ...] = (),
        **more: Any,
    ) -> Fit:
        """Put the result together.

        Args:
            data: What was fitted.
            optimum: What came out.
            values: Every parameter to be told, by name.
            jacobian: Derivatives of the values by the parameters of the optimum (nonlinear, then
                linear) and by the quantities known beforehand, shape (values, parameters + known).
            known: Standard errors of the quantities known beforehand.
            more: Other fields of `Fit`.
        """
        self.require_determined(data, optimum)
        jacobian = np.atleast_2d(jacobian)
        inner = block_diag(optimum.covariance, np.diag(np.square(known)))
        covariance = jacobian @ inner @ jacobian.T
        errors = np.sqrt(np.diag(covariance)).tolist()
        fixed = {
            "model": self.name,
            "version": self.version,
            "values": {name: float(value) for name, value in values.items()},
            "errors": dict(zip(values, errors, strict=True)),
            "units": {name: self.units[name] for name in values},
            "covariance": covariance,
            "chi_square": optimum.chi_square,
            "degrees_of_freedom": optimum.degrees_of_freedom,
            "verdicts": verdicts(data, optimum),
            "points": len(data),
            "curve": optimum.curve,
        }
        return Fit(**(fixed | more))


def check_name(name: str) -> None:
    """Raise unless there is a model of that name.

    Raises:
        FitError: Naming those that there are.
    """
    if name not in MODELS:
        raise FitError(f"fit: no model {name!r}; needs one of {', '.join(sorted(MODELS))}")


def fit(name: str, data: Data, **options: Any) -> Fit:
    """Fit data with the model of that name.

    Raises:
        FitError: There is no such model or option, or the data allow no fit.
    """
    check_name(name)
    model = MODELS[name]
    signature = inspect.signature(model.fit)
    try:
        signature.bind(data, **options)
    except TypeError as error:
        known = ", ".join(list(signature.parameters)[1:]) or "none"
        raise FitError(f"{name}: {error}; its options are: {known}") from error
    kind = type(data).__name__.lower()
    model.require(isinstance(data, model.takes), f"{kind}; needs {model.takes.__name__.lower()}")
    try:
        with np.errstate(over="raise", divide="raise", invalid="raise"):
            return model.fit(data, **options)
    except (FloatingPointError, np.linalg.LinAlgError) as error:
        raise FitError(f"{name}: {error}; needs numbers of ordinary size") from error


def verdicts(data: Data, optimum: Optimum) -> dict[str, float]:
    """Judge the residuals by their size and by their order.

    `chi_square_p` is the probability of a larger chi-square. `runs_p` is the probability of as few
    changes of sign along the axis (Wald-Wolfowitz runs test with even odds of both signs; X and Y
    each give a row of signs). Both are small when the model is wrong.
    """
    rows = optimum.residuals.reshape(-1, len(data))[:, np.argsort(data.axis, kind="stable")]
    changes = np.diff(rows > 0, axis=1)
    return {
        "chi_square_p": float(chdtrc(optimum.degrees_of_freedom, optimum.chi_square)),
        "runs_p": float(bdtr(changes.sum(), changes.size, 0.5)),
    }


def constant(theta: NDArray, axis: NDArray) -> NDArray:
    """Return the basis of a model that does not change along the axis, shape (..., 1, n)."""
    return np.ones((*theta.shape[:-1], 1, len(axis)))


def polar(x: float, y: float) -> tuple[tuple[float, float], ArrayLike]:
    """Turn x + iy into amplitude and phase [deg], with the derivatives by x and y, shape (2, 2)."""
    amplitude = np.hypot(x, y)
    along = np.array([x, y]) / amplitude
    across = np.degrees(np.array([-y, x]) / amplitude**2)
    return (amplitude, np.degrees(np.arctan2(y, x))), np.array([along, across])
