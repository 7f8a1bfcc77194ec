"""Gram matrices of what plane waves do to an electron in a box, over all wavevectors or a ball."""

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from .box import Box, form_factors

Product = tuple[str, str, str]
"""A function of q that is a product of one factor along each edge; the names of the factors."""

Sum = tuple[tuple[int, Product], ...]
"""A sum of products with signs: one function of q for every state."""

Gram = Callable[[Sum, Sum], NDArray]
"""The integral of f_n(q) h_m(q) / q^2 over q, for all pairs of states, shape (pairs of states)."""

DENSITY: Sum = ((1, ("density", "density", "density")),)
"""rho_n(q) = <n|exp(iqr)|g>."""

CURRENTS: tuple[Sum, Sum, Sum] = (
    ((1, ("density", "current", "moment")), (-1, ("density", "moment", "current"))),
    ((1, ("moment", "density", "current")), (-1, ("current", "density", "moment"))),
    ((1, ("current", "moment", "density")), (-1, ("moment", "current", "density"))),
)
"""The components of s_n(q) = <n|exp(iqr) k|g> x q; a moment is q times a density."""


def factors(box: Box, states: int, q: NDArray) -> list[dict[str, NDArray]]:
    """Return the factors along x, y, z by their names.

    Args:
        box: Shape.
        states: Number of states along each edge.
        q: Wavevectors along x, y, z [1/L], shape (3, nodes).

    Returns:
        Three tables of arrays of shape (states, nodes).
    """
    found = []
    for edge, along in zip(box.edges, q, strict=True):
        density, current = form_factors(along, edge, states)
        found.append({"density": density, "current": current, "moment": along * density})
    return found


def all_space(box: Box, states: int, farthest: float = 300, nodes: int = 400) -> Gram:
    """Return the Gram matrices over all wavevectors.

    With 1/q^2 = int exp(-t q^2) dt every integral is a sum over t of products of integrals along
    the edges. The grids are good for 1e-7 of the rate of a cube.

    Args:
        box: Shape.
        states: Number of states along each edge.
        farthest: End of the grid along each axis [1/L].
        nodes: Number of its nodes on one side of q = 0.
    """
    log_t = np.arange(-22, 14, 0.5)
    q, weights = _both_sides(farthest, nodes)
    weights = weights * np.exp(-np.exp(log_t)[:, None] * q**2)
    steps = 0.5 * np.exp(log_t)
    table = factors(box, states, np.array([q] * 3))

    @cache
    def edge(axis: int, left: str, right: str) -> NDArray:
        return (table[axis][left] * weights[:, None]) @ table[axis][right].T

    def product(f: Product, h: Product) -> NDArray:
        x, y, z = (edge(axis, f[axis], h[axis]) for axis in range(3))
        xy = np.einsum("t,tab,tcd->acbdt", steps, x, y)
        pairs = np.tensordot(xy, z, axes=(4, 0)).transpose(0, 1, 4, 2, 3, 5)
        return pairs.reshape(states**3, states**3)

    def gram(left: Sum, right: Sum) -> NDArray:
        return np.sum([a * b * product(f, h) for a, f in left for b, h in right], axis=0)

    return gram


def ball(box: Box, states: int, cutoff: float) -> Gram:
    """Return the Gram matrices over wavevectors shorter than a cut-off.

    Args:
        box: Shape.
        states: Number of states along each edge.
        cutoff: Radius of the ball [1/L].
    """
    # along the radius and from pole to pole: enough for the waves that meet inside the ball
    nodes = 8 + int(np.ceil(2.5 * cutoff * box.edges.max()))
    roots, weights = np.polynomial.legendre.leggauss(nodes)
    cosine, azimuth = np.meshgrid(roots, np.arange(2 * nodes) * np.pi / nodes, indexing="ij")
    sine = np.sqrt(1 - cosine**2)
    direction = np.array([sine * np.cos(azimuth), sine * np.sin(azimuth), cosine]).reshape(3, -1)
    angle = np.repeat(weights * np.pi / nodes, 2 * nodes)

    functions = (DENSITY, *CURRENTS)
    total = np.zeros((len(functions) * states**3,) * 2)
    # q^2 of the volume and 1/q^2 of the weight are one
    for radius, thickness in zip((roots + 1) / 2 * cutoff, weights / 2 * cutoff, strict=True):
        table = factors(box, states, radius * direction)
        values = np.concatenate([_values(each, table) for each in functions])
        total += (values * (thickness * angle)) @ values.T
    blocks = total.reshape(len(functions), states**3, len(functions), states**3)
    return lambda left, right: blocks[functions.index(left), :, functions.index(right)]


def _values(functions: Sum, table: list[dict[str, NDArray]]) -> NDArray:
    """Values of one function of q for every state, shape (states, nodes)."""
    products = []
    for sign, names in functions:
        x, y, z = (along[name] for along, name in zip(table, names, strict=True))
        products.append(sign * np.einsum("an,bn,cn->abcn", x, y, z))
    return np.sum(products, axis=0).reshape(-1, products[0].shape[-1])


def _both_sides(farthest: float, nodes: int) -> tuple[NDArray, NDArray]:
    """Nodes and weights from -farthest to farthest, dense about zero where exp(-t q^2) is narrow."""
    finest = 0.02
    roots, weights = np.polynomial.legendre.leggauss(nodes)
    half = np.arcsinh(farthest / finest) / 2
    q = finest * np.sinh(half * (roots + 1))
    weights = weights * half * np.hypot(finest, q)
    return np.concatenate([-q, q]), np.concatenate([weights, weights])
