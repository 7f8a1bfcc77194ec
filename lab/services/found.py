"""Clients of a laboratory that is up find it by themselves."""

import os

from ..settings import Settings
from .laboratory import Laboratory
from .supervisor import is_up


def look_there(settings: Settings) -> bool:
    """Let Channel Access clients of this process look where the laboratory is, if it is up.

    What the environment says already has the last word. Call it before ophyd is imported.

    Returns:
        Whether the laboratory is up.
    """
    laboratory = Laboratory.remembered(settings)
    if laboratory is None or not is_up(settings):
        return False
    for name, value in laboratory.environment(settings).items():
        os.environ.setdefault(name, value)
    return True


def whose_instruments(settings: Settings) -> str:
    """Return in words what owns the instruments of a laboratory that is up, and how to have them."""
    laboratory = Laboratory.remembered(settings)
    if laboratory is None or not laboratory.queue or not is_up(settings):
        return ""
    return "the laboratory's queue has them; 'odmrlab up --no-queue' leaves them to a shell"
