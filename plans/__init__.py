"""The measurements, one module per technique."""

from .blank import blank
from .find_resonance import NoResonanceError, find_resonance
from .guard import Guard
from .harmonics import harmonics
from .interlocks import INTERLOCKS, Interlock, InterlockError
from .odmr import odmr
from .one_point import one_point
from .outages import OutageError
from .points import RepeatPointError
from .resume import Recorded, ResumeError, resume
from .safe import AS_IT_IS, SAFE, UnsafeError, left_safe
from .series import t1_against
from .set_up import set_up
from .spin_inertia import spin_inertia

__all__ = [
    "AS_IT_IS",
    "INTERLOCKS",
    "SAFE",
    "Guard",
    "Interlock",
    "InterlockError",
    "NoResonanceError",
    "OutageError",
    "Recorded",
    "RepeatPointError",
    "ResumeError",
    "UnsafeError",
    "blank",
    "find_resonance",
    "harmonics",
    "left_safe",
    "odmr",
    "one_point",
    "resume",
    "set_up",
    "spin_inertia",
    "t1_against",
]
