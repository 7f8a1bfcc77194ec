"""From documents to numbers: models, fits, limits, figures. Nothing here knows an instrument."""

from . import energy, inertia, lines, series
from .bootstrap import bootstrap
from .data import Curve, Fit, FitError, Points
from .forward import harmonics
from .forward import inertia as forward_inertia
from .limits import inertia_bound, line_bound, predicted_errors
from .models import MODELS, fit
from .shapes import compare_shapes
from .theory import model as theory_model

# The modules of models are imported so that every model is registered before MODELS is looked at.
__all__ = [
    "MODELS",
    "Curve",
    "Fit",
    "FitError",
    "Points",
    "bootstrap",
    "compare_shapes",
    "energy",
    "fit",
    "forward_inertia",
    "harmonics",
    "inertia",
    "inertia_bound",
    "line_bound",
    "lines",
    "predicted_errors",
    "series",
    "theory_model",
]
