"""Nature in plain numbers: the spins, what reaches them, the noise. Nothing here knows EPICS."""

from .sample import Bench, Sample

__all__ = ["Bench", "Sample"]
