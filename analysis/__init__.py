"""From documents to numbers: models, fits, limits, figures. Nothing here knows an instrument."""

from . import energy, inertia, lines, series
from .data import Curve, Fit, FitError, Points
from .models import MODELS, fit
from .theory import model as theory_model

# The modules of models are imported so that every model is registered before MODELS is looked at.
__all__ = [
    "MODELS",
    "Curve",
    "Fit",
    "FitError",
    "Points",
    "energy",
    "fit",
    "inertia",
    "lines",
    "series",
    "theory_model",
]
