"""Variable projection: least squares without starting values.

A model that is linear in some of its parameters is solved for those exactly at every node of a grid
over the others; only the best nodes are refined (G. H. Golub, V. Pereyra, SIAM J. Numer. Anal. 10,
413 (1973)). The search is global as far as the grid is dense and reaches.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import leastsq

from .data import Data

Basis = Callable[[NDArray, NDArray], NDArray]
"""Functions (..., k, n) of the nonlinear parameters (..., q) and of the axis (n,)."""

BLOCK = 1024  # nodes at a time: bounds the memory of a search to some 10 MB
ROUNDS, DEEPEST = 8, 3  # of all valleys at once, after which one of the deepest is the one
SMALLEST = (
    1e-12  # relative; keeps alike columns, as of two lines in one place, from dividing by zero
)


@dataclass(frozen=True)
class Search:
    """Where to look for the nonlinear parameters.

    Args:
        nodes: Grid in groups, shape (groups, nodes of a group, q). From the best node of every group
            one valley of chi-square is entered; the deepest are refined.
        low: Lower ends of the region, shape (q,).
        high: Upper ends of the region, shape (q,).
    """

    nodes: NDArray
    low: NDArray
    high: NDArray

    def clip(self, theta: NDArray) -> NDArray:
        """Bring the parameters back into the region, so that an optimiser cannot leave it."""
        return np.clip(theta, self.low, self.high)


LINEAR = Search(np.empty((0, 0, 0)), np.empty(0), np.empty(0))
"""The search of a model that has linear parameters only."""


@dataclass(frozen=True)
class Optimum:
    """The best parameters and what is left of the data.

    Args:
        nonlinear: Nonlinear parameters, shape (q,).
        linear: Real linear coefficients, shape (p,).
        residuals: Data less model in standard errors, shape (m,).
        jacobian: Derivatives of the model in standard errors, shape (m, q + p).
        curve: The model at these parameters, from an axis (n,) to a signal (n,).
        inside: The nonlinear parameters are off the borders of the region searched.
    """

    nonlinear: NDArray
    linear: NDArray
    residuals: NDArray
    jacobian: NDArray
    curve: Callable[[NDArray], NDArray]
    inside: bool = True

    @property
    def chi_square(self) -> float:
        """Sum of the squared residuals."""
        return float(self.residuals @ self.residuals)

    @property
    def degrees_of_freedom(self) -> int:
        """Number of real data less number of real parameters."""
        m, parameters = self.jacobian.shape
        return m - parameters

    @property
    def determined(self) -> bool:
        """The data tell the parameters apart."""
        _, singular, _ = self._scaled
        return bool(singular[-1] > 1e-9 * singular[0])

    @property
    def covariance(self) -> NDArray:
        """Covariance of (nonlinear, linear), shape (q + p, q + p), if they are determined.

        Not scaled by the reduced chi-square: the errors of the data are known.
        """
        scale, singular, axes = self._scaled
        half = axes.T / singular / scale[:, None]
        return half @ half.T

    @cached_property
    def _scaled(self) -> tuple[NDArray, NDArray, NDArray]:
        """Norms of the columns of the Jacobian; singular values and axes with these taken out.

        Columns of norm one: else the singular values would tell of units, not of the data.
        """
        scale = np.linalg.norm(self.jacobian, axis=0)
        scale = np.where(scale > 0, scale, 1)
        _, singular, axes = np.linalg.svd(self.jacobian / scale, full_matrices=False)
        return scale, singular, axes


def solve(data: Data, basis: Basis, search: Search = LINEAR) -> Optimum:
    """Find the parameters of least chi-square.

    Args:
        data: What to fit. Complex data have complex linear coefficients.
        basis: Functions whose linear combination is the model, shape (..., k, n).
        search: Where to look for the nonlinear parameters.
    """
    target = data.target

    def columns(theta: NDArray) -> NDArray:
        return data.columns(basis(search.clip(theta), data.axis))

    # Residuals are counted in standard errors, so no volts reach the optimiser.
    def residuals(theta: NDArray) -> NDArray:
        matrix = columns(theta)
        return target - _best(matrix, target) @ matrix

    theta = search.low
    if theta.size:
        valleys = [refine(residuals, near) for near in deepest(columns, target, search)]
        theta = search.clip(min(valleys, key=lambda theta: np.sum(residuals(theta) ** 2)))
    linear = _best(columns(theta), target)
    slopes = derivatives(lambda theta: linear @ columns(theta), theta)
    coefficients = data.coefficients(linear)
    return Optimum(
        nonlinear=theta,
        linear=linear,
        residuals=residuals(theta),
        jacobian=np.column_stack([*slopes, *columns(theta)]),
        curve=lambda axis: coefficients @ basis(theta, np.asarray(axis, dtype=float)),
        inside=bool(np.all((search.low < theta) & (theta < search.high))),
    )


def solve_many(
    data: Data, signals: NDArray, basis: Basis, search: Search
) -> tuple[NDArray, NDArray]:
    """Find the parameters of least chi-square of many signals at once, of a model with one valley.

    Args:
        data: Axis and errors of all signals.
        signals: What to fit, shape (N, n).
        basis: Functions of one nonlinear parameter whose linear combination is the model.
        search: Where to look for it, one group.

    Returns:
        Nonlinear parameter, shape (N,), and linear coefficients as of the data, shape (N, k).
    """
    targets = data.standardise(signals)

    def columns(theta: NDArray) -> NDArray:
        return data.columns(basis(search.clip(theta), data.axis))

    def explained(theta: NDArray) -> NDArray:
        return _explained(columns(theta[:, None]), targets)

    nodes = search.nodes[0]
    axes, _ = np.linalg.qr(columns(nodes).swapaxes(-1, -2))
    theta = nodes[np.sum((targets @ axes) ** 2, axis=-1).argmax(axis=0), 0]
    grid_step = nodes[1, 0] - nodes[0, 0]
    for step in grid_step / np.array([1, 10, 100]):
        # Newton's method with differences for derivatives: the top of the parabola through three.
        low, middle, high = (explained(theta + move) for move in (-step, 0, step))
        bend = np.maximum(2 * middle - low - high, np.finfo(float).tiny)
        theta = theta + np.clip(step / 2 * (high - low) / bend, -grid_step, grid_step)
    theta = search.clip(theta[:, None])
    at_best = columns(theta)
    gram, overlap = at_best @ at_best.swapaxes(-1, -2), at_best @ targets[..., None]
    linear = np.linalg.solve(gram, overlap)[..., 0]
    return theta[:, 0], np.array([data.coefficients(row) for row in linear])


def descend(data: Data, model: Callable[[NDArray, NDArray], NDArray], start: NDArray) -> Optimum:
    """Find the parameters of least chi-square of a model that is not linear in any of them.

    Args:
        data: What to fit.
        model: Model (n,) of the parameters (q,) and of the axis (n,).
        start: Parameters near the optimum, shape (q,).
    """

    def standardised(theta: NDArray) -> NDArray:
        return data.standardise(model(theta, data.axis))

    theta = refine(lambda theta: data.target - standardised(theta), start)
    return Optimum(
        nonlinear=theta,
        linear=np.empty(0),
        residuals=data.target - standardised(theta),
        jacobian=np.column_stack(derivatives(standardised, theta)),
        curve=lambda axis: model(theta, np.asarray(axis, dtype=float)),
    )


def best_nodes(columns: Callable[[NDArray], NDArray], target: NDArray, search: Search) -> NDArray:
    """Project the data at every node and return the best of every group, shape (groups, q)."""
    groups, size, _ = search.nodes.shape
    nodes = search.nodes.reshape(groups * size, -1)
    blocks = np.array_split(nodes, -(-len(nodes) // BLOCK))
    explained = np.concatenate([_explained(columns(block), target) for block in blocks])
    best = explained.reshape(groups, size).argmax(axis=1)
    return search.nodes[np.arange(groups), best]


def deepest(columns: Callable[[NDArray], NDArray], target: NDArray, search: Search) -> NDArray:
    """Return where the best nodes of all groups lead in the deepest valleys, shape (few, q).

    All of them go down together, each by the method of Levenberg and Marquardt.
    """
    theta = best_nodes(columns, target, search)
    if len(theta) == 1:
        return theta

    def residuals(theta: NDArray) -> NDArray:
        matrix = columns(theta)
        return target - (_coefficients(matrix, target)[:, None, :] @ matrix)[:, 0]

    size = theta.shape[1]
    steps, damping = 1e-6 * np.eye(size), np.full(len(theta), 1e-2)
    left = residuals(theta)
    for _ in range(ROUNDS):
        moved = residuals((theta[:, None, :] + steps).reshape(-1, size))
        slopes = (moved.reshape(len(theta), size, -1) - left[:, None, :]) / 1e-6
        curvature = slopes @ slopes.swapaxes(-1, -2)
        scale = np.einsum("gii->gi", curvature)
        damped = curvature + (damping[:, None] * scale + SMALLEST)[..., None] * np.eye(size)
        move = np.linalg.solve(damped, slopes @ left[..., None])[..., 0]
        trial = search.clip(theta - move)
        new = residuals(trial)
        better = np.sum(new**2, axis=1) < np.sum(left**2, axis=1)
        theta[better], left[better] = trial[better], new[better]
        damping = np.where(better, damping / 10, damping * 10)
    return theta[np.sum(left**2, axis=1).argsort()[:DEEPEST]]


def refine(residuals: Callable[[NDArray], NDArray], start: NDArray) -> NDArray:
    """Go from a start to the next minimum of the squared residuals."""
    return leastsq(residuals, start, ftol=1e-12, xtol=1e-12, full_output=True)[0]


def derivatives(function: Callable[[NDArray], NDArray], theta: NDArray) -> list[NDArray]:
    """Differentiate a function by each parameter, from central differences."""
    steps = np.diag(np.cbrt(np.finfo(float).eps) * np.maximum(1, np.abs(theta)))
    return [(function(theta + step) - function(theta - step)) / (2 * step.sum()) for step in steps]


def _best(columns: NDArray, target: NDArray) -> NDArray:
    """Linear coefficients of least chi-square, (p, m) -> (p,)."""
    return np.linalg.lstsq(columns.T, target, rcond=None)[0]


def _coefficients(columns: NDArray, target: NDArray) -> NDArray:
    """Linear coefficients of least chi-square at each node, (nodes, p, m) -> (nodes, p).

    The target is one for all nodes, (m,), or one for each, (nodes, m).
    """
    norm = np.linalg.norm(columns, axis=-1, keepdims=True)
    norm = np.where(norm > 0, norm, 1)
    columns = columns / norm
    gram = columns @ columns.swapaxes(-1, -2) + SMALLEST * np.eye(columns.shape[-2])
    return (np.linalg.solve(gram, columns @ target[..., None]) / norm)[..., 0]


def _explained(columns: NDArray, target: NDArray) -> NDArray:
    """How much chi-square the columns take away at each node, (nodes, p, m) -> (nodes,)."""
    overlap = (columns @ target[..., None])[..., 0]
    return np.sum(overlap * _coefficients(columns, target), axis=-1)
