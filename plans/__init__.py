"""The measurements, one module per technique."""

from .find_resonance import NoResonanceError, find_resonance
from .odmr import odmr
from .safe import AS_IT_IS, SAFE, UnsafeError, left_safe
from .spin_inertia import spin_inertia

__all__ = [
    "AS_IT_IS",
    "SAFE",
    "NoResonanceError",
    "UnsafeError",
    "find_resonance",
    "left_safe",
    "odmr",
    "spin_inertia",
]
