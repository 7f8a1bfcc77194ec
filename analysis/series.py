"""What a series of runs tells: straight lines through fitted numbers, and what they mean."""

from collections.abc import Callable
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import dawsn

from .data import Fit, Points
from .models import Model, constant
from .projection import Optimum, Search, derivatives, descend, solve

MAGNETON = 13.996244917e-3
"""Bohr magneton over h [GHz/mT], CODATA 2022."""

BOLTZMANN = 8.617333262e-2
"""Boltzmann constant [meV/K], exact in the SI."""

LOWEST, HIGHEST = 0.2, 40  # meV, from kT at 2 K to the highest phonons of a lattice
LN_ENERGY = np.linspace(np.log(LOWEST), np.log(HIGHEST), 100)
SEARCH = Search(LN_ENERGY[None, :, None], LN_ENERGY[:1], LN_ENERGY[-1:])


def rates(x: NDArray, t1: NDArray, error: NDArray) -> Points:
    """Turn a series of T1 into the series of 1/T1 that the models of relaxation take.

    Args:
        x: What was changed between the runs, shape (n,).
        t1: T1 [s], shape (n,).
        error: Standard error of T1 [s], shape (n,).

    Returns:
        1/T1 [1/s] with its standard error.
    """
    t1, error = np.asarray(t1, dtype=float), np.asarray(error, dtype=float)
    return Points(x, 1 / t1, error / t1**2)


def straight(data: Points, *functions: Callable[[NDArray], NDArray]) -> Optimum:
    """Fit a sum of functions of x, each with one coefficient; the errors are exact."""
    return solve(data, lambda _, x: np.stack([function(x) for function in functions]))


def nuclear(ratio: NDArray, exact: bool) -> NDArray:
    """Return how much the nuclear field turns a spin away from the external field.

    Args:
        ratio: External field over Overhauser field, shape (n,).
        exact: The mean of sin^2 over the Gaussian distribution of nuclear fields, good at every
            field, F(y) = [1 - D(y)/y] / y^2 with the Dawson function D; else its limit at high
            field in Eq. (4), 1/y^2.
    """
    return (1 - dawsn(ratio) / ratio) / ratio**2 if exact else ratio**-2


def ln_phonons(energy: ArrayLike, temperature: NDArray, exact: bool) -> NDArray:
    """Return the logarithm of how the rate of a process of two phonons grows with temperature.

    Args:
        energy: Phonon energy [meV].
        temperature: Temperature [K], shape (n,).
        exact: One phonon taken and one given, n (n + 1), as in Eq. (15); else exp(-E/kT), Eq. (5).
    """
    ratio = np.asarray(energy) / (BOLTZMANN * temperature)
    return -ratio - 2 * np.log(-np.expm1(-ratio)) if exact else -ratio


def require_rates(model: Model, data: Points, optimum: Optimum, *names: str) -> None:
    """Refuse rates that are not above zero by a standard error: their times have no upper end."""
    model.require_determined(data, optimum)
    errors = np.sqrt(np.diag(optimum.covariance))
    for name, rate, error in zip(names, optimum.linear, errors, strict=False):
        model.require(
            rate > error,
            f"1/{name} = {rate:.3g} +- {error:.2g} 1/s; needs a rate above zero by its error",
        )


class GFactor(Model):
    """Resonance field [mT] against rf frequency [GHz]: B = h f / (g mu_B), Eq. (1).

    `intercept` frees a field at zero frequency, which a true g factor does not have.
    """

    name = "g_factor"
    version = "1"
    takes = Points
    minimum_points = 2
    units: ClassVar = {"g": "", "intercept": "mT"}

    def fit(self, data: Points, intercept: bool = False) -> Fit:
        self.require_points(data, more=bool(intercept))
        functions = [lambda frequency: frequency / MAGNETON, np.ones_like]
        optimum = straight(data, *functions[: 1 + bool(intercept)])
        slope, *rest = optimum.linear
        self.require(slope > 0, f"1/g = {slope:.3g}; needs fields that rise with the frequency")
        values = {"g": 1 / slope} | dict(zip(["intercept"], rest, strict=False))
        jacobian = np.diag([-(slope**-2)] + [1.0] * len(rest))
        return self.result(data, optimum, values, jacobian, options={"intercept": intercept})


class LineWidth(Model):
    """Line width [mT] against resonance field [mT]: width^2 = D_N^2/2 + (D_g/g)^2 B^2, Eq. (2).

    Fitted in the squares, where it is a straight line. The width is the standard deviation of the
    line, the Overhauser field D_N is sqrt(2) times that of one component of the nuclear field.
    `g` and `g_error` are the g factor and its standard error.
    """

    name = "line_width"
    version = "1"
    takes = Points
    minimum_points = 3
    units: ClassVar = {"overhauser_field": "mT", "g_spread": ""}

    def fit(self, data: Points, g: float, g_error: float = 0.0) -> Fit:
        self.require_points(data)
        self.require(data.y > 0, "a width is not above zero; needs widths [mT]")
        squares = Points(data.x, data.y**2, 2 * data.y * data.error)
        optimum = straight(squares, np.ones_like, np.square)
        level, slope = optimum.linear
        self.require(level > 0, f"overhauser_field^2 = {2 * level:.3g} mT^2; needs it above zero")
        self.require(slope > 0, f"(g_spread/g)^2 = {slope:.3g}; needs it above zero")
        overhauser_field, relative_spread = np.sqrt([2 * level, slope])
        return self.result(
            squares,
            optimum,
            {"overhauser_field": overhauser_field, "g_spread": g * relative_spread},
            [[1 / overhauser_field, 0, 0], [0, g / relative_spread / 2, relative_spread]],
            known=(g_error,),
            options={"g": g, "g_error": g_error},
            curve=lambda field: np.sqrt(optimum.curve(field)),
        )


class Power(Model):
    """Rate 1/T1 [1/s] against laser power P [mW]: dark_rate + pump_rate P, inset of Fig. 3(a).

    Eq. (4) and (5) give the dark rate; light adds to it in proportion. T1 without light is the
    inverse of a rate, so its 68 % interval is the inverted interval of the rate.
    """

    name = "power"
    version = "1"
    takes = Points
    minimum_points = 3
    units: ClassVar = {"dark_rate": "1/s", "pump_rate": "1/s/mW", "t1_zero_power": "s"}

    def fit(self, data: Points) -> Fit:
        self.require_points(data)
        optimum = straight(data, np.ones_like, np.positive)
        require_rates(self, data, optimum, "t1_zero_power")
        dark_rate, pump_rate = optimum.linear
        error = np.sqrt(optimum.covariance[0, 0])
        interval = (float(1 / (dark_rate + error)), float(1 / (dark_rate - error)))
        values = {"dark_rate": dark_rate, "pump_rate": pump_rate, "t1_zero_power": 1 / dark_rate}
        jacobian = [[1, 0], [0, 1], [-(dark_rate**-2), 0]]
        return self.result(data, optimum, values, jacobian, intervals={"t1_zero_power": interval})


class Field(Model):
    """Rate 1/T1 [1/s] against magnetic field B [mT]: 1/tau_s + (D_N/B)^2 / tau_c, Eq. (4).

    `overhauser_field` is D_N [mT] from the line width. tau_c is known no better than its square,
    so `overhauser_field_error` [mT] is part of the errors. `exact` puts the exact function of the
    nuclear fields for (D_N/B)^2, which is 3 % too large at B = 4 D_N and diverges at B = 0.
    """

    name = "field"
    version = "1"
    takes = Points
    minimum_points = 3
    units: ClassVar = {"tau_s": "s", "tau_c": "s"}

    def fit(
        self,
        data: Points,
        overhauser_field: float,
        overhauser_field_error: float = 0.0,
        exact: bool = False,
    ) -> Fit:
        self.require_points(data)
        lowest = np.abs(data.x).min()
        self.require(
            lowest > (0 if exact else overhauser_field),
            f"lowest field {lowest:g} mT; Eq. (4) needs fields above {overhauser_field:g} mT, "
            "exact=True needs fields other than zero",
        )

        def fitted(width: NDArray) -> Optimum:
            return straight(data, np.ones_like, lambda field: nuclear(field / width, exact))

        width = np.array([overhauser_field])
        optimum = fitted(width)
        require_rates(self, data, optimum, "tau_s", "tau_c")
        (by_width,) = derivatives(lambda width: 1 / fitted(width).linear, width)
        return self.result(
            data,
            optimum,
            dict(zip(("tau_s", "tau_c"), 1 / optimum.linear, strict=True)),
            np.column_stack([np.diag(-(optimum.linear**-2)), by_width]),
            known=(overhauser_field_error,),
            options={
                "overhauser_field": overhauser_field,
                "overhauser_field_error": overhauser_field_error,
                "exact": exact,
            },
        )


class Temperature(Model):
    """Rate 1/T1 [1/s] against temperature T [K]: dark_rate + phonon_rate exp(-E/kT), Eq. (5).

    Fitted in ln(1/T1), where the errors of a T1 of any size are alike. `exact` puts n (n + 1) of
    the phonons, as in Eq. (15), for its limit at low temperature exp(-E/kT).
    """

    name = "temperature"
    version = "1"
    takes = Points
    minimum_points = 4
    units: ClassVar = {"dark_rate": "1/s", "phonon_rate": "1/s", "phonon_energy": "meV"}

    def fit(self, data: Points, exact: bool = False) -> Fit:
        self.require_points(data)
        self.require(data.x > 0, "temperature not above zero; needs temperatures [K]")
        self.require(data.y > 0, "rate not above zero; needs rates [1/s]")

        def basis(theta: NDArray, temperature: NDArray) -> NDArray:
            activated = np.exp(ln_phonons(np.exp(theta[..., None]), temperature, exact))
            return np.concatenate([constant(theta, temperature), activated], axis=-2)

        def ln_rate(theta: NDArray, temperature: NDArray) -> NDArray:
            ln_dark_rate, ln_phonon_rate, ln_energy = theta
            grown = ln_phonon_rate + ln_phonons(np.exp(ln_energy), temperature, exact)
            return np.logaddexp(ln_dark_rate, grown)

        near = solve(data, basis, SEARCH)
        logarithms = Points(data.x, np.log(data.y), data.error / data.y)
        start = np.log(np.maximum(near.linear, data.y.min() / 10))
        optimum = descend(logarithms, ln_rate, np.append(start, near.nonlinear))
        self.require_gain(
            solve(logarithms, constant), optimum, "activation does not beat a constant"
        )
        values = dict(zip(self.units, np.exp(optimum.nonlinear), strict=True))
        self.require(
            near.inside,
            f"phonon_energy = {values['phonon_energy']:.3g} meV is at the edge of the search; needs "
            f"it inside {LOWEST:g} to {HIGHEST:g} meV, and temperatures where the rate changes",
        )
        return self.result(
            logarithms,
            optimum,
            values,
            np.diag(list(values.values())),
            options={"exact": exact},
            curve=lambda temperature: np.exp(optimum.curve(temperature)),
        )
