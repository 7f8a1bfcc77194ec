"""The measurements, one module per technique."""

from .blank import blank
from .find_resonance import NoResonanceError, find_resonance
from .odmr import odmr
from .series import t1_against
from .spin_inertia import spin_inertia

__all__ = ["NoResonanceError", "blank", "find_resonance", "odmr", "spin_inertia", "t1_against"]
