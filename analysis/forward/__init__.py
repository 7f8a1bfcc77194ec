"""The analysis beyond the paper's formulas: rf of any strength, many T1, nuclear fields of all directions."""
