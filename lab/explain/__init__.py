"""Pages and figures that explain the twin, made by its own code."""
