"""Numbers as people write them: two digits of the error, and a unit of fitting size."""

from math import floor, log10

PREFIXES = {0: "", -3: "m", -6: "µ", -9: "n", -12: "p"}
SCALED = ("s", "V")  # units of which small parts are usual


def rounded(value: float, error: float) -> tuple[str, str]:
    """Return value and error as texts with two digits of the error."""
    digits = max(0, 1 - int(f"{error:e}".split("e")[1])) if error > 0 else 6
    return f"{value:.{digits}f}", f"{error:.{digits}f}"


def told(name: str, value: float, error: float, unit: str = "") -> str:
    """Return a number with its error and unit, as people write them: ``t1 = 130.1 ± 0.2 µs``."""
    power = size(max(abs(value), error), unit)
    number = " ± ".join(rounded(value / 10**power, error / 10**power))
    return f"{name} = {number} {PREFIXES[power]}{unit}".rstrip()


def brief(name: str, value: float, error: float, unit: str = "") -> str:
    """Return the same in less room, the error in units of the last digit: ``t1 130.10(20) µs``."""
    power = size(value, unit)
    number = bracketed(value / 10**power, error / 10**power)
    return f"{name} {number} {PREFIXES[power]}{unit}".rstrip()


def bracketed(value: float, error: float) -> str:
    """Return a number with its error in units of the last digit: ``130.10(20)``."""
    number, doubt = rounded(value, error)
    return f"{number}({doubt.replace('.', '').lstrip('0')})"


def size(value: float, unit: str) -> int:
    """Return the power of ten of the prefix that fits a value."""
    if unit not in SCALED or not value:
        return 0
    return min(0, max(-12, 3 * floor(log10(abs(value)) / 3)))
