"""Answer of spins to an rf field that is switched on and off.

All answers are X + iY, rms, of a lock-in whose reference is the on/off modulation: the spin that the
rf takes away. They take the rate of flips while the rf is on [1/s], the carrier, the laser power
[mW], T1 [s], the modulation frequency [Hz] and the harmonic.
"""

import numpy as np

from .nuclear_field import column

ABSCISSAE, WEIGHTS = np.polynomial.hermite_e.hermegauss(16)
WEIGHTS = WEIGHTS / WEIGHTS.sum()


def weak_answer(flips, carrier, laser_power, t1, frequency, harmonic):
    """Return the answer to a weak rf field, Eq. 3 with its phase; no even harmonics.

    (sqrt(2) / pi) W G T1^2 / (1 + 2 pi i f T1), where W is the rate of flips and G = pump_rate P the
    rate of pumping.
    """
    wave = np.sqrt(2) / np.pi / harmonic * (harmonic % 2)
    slow = wave * flips * carrier.pump_rate * laser_power * t1**2
    return carrier.amplitude * slow / (1 + 2j * np.pi * harmonic * frequency * t1)


def square_wave_answer(flips, carrier, laser_power, t1, frequency, harmonic):
    """Return the answer to an rf field of any strength, where the spins relax at two rates in turn.

    The periodic solution of ds/dt = G - (r0 + W(t)) s with r0 = 1/T1 and r1 = r0 + W, in Fourier
    components: with D = G/r0 - G/r1, t0 = tanh(r0/4f), t1 = tanh(r1/4f) and w = 2 pi n f, odd ones
    are (sqrt(2)/pi n) D [t0 r1/(r1 + iw) + t1 r0/(r0 + iw)] / (t0 + t1), even ones
    i sqrt(8) D f W t0 t1 / [(t0 + t1) (r0 + iw) (r1 + iw)]. Holds while flips are slow against the
    loss of phase, omega_1 T2 < 0.1.
    """
    off, on = 1 / t1, 1 / t1 + flips
    lost = carrier.amplitude * carrier.pump_rate * laser_power * flips / (off * on)
    rest, drive = np.tanh(off / (4 * frequency)), np.tanh(on / (4 * frequency))
    turn = 2j * np.pi * harmonic * frequency
    if harmonic % 2:
        poles = rest * on / (on + turn) + drive * off / (off + turn)
        return np.sqrt(2) / np.pi / harmonic * lost * poles / (rest + drive)
    swing = np.sqrt(8) * frequency * flips * rest * drive / (rest + drive)
    return 1j * lost * swing / ((on + turn) * (off + turn))


def one_t1(answer):
    """Return the answer of spins that all have the same T1."""
    return answer


def log_normal_t1(answer):
    """Return the mean answer of spins whose ln T1 scatters by ``t1_spread`` about that given."""

    def mean(flips, carrier, laser_power, t1, frequency, harmonic):
        many = column(t1) * np.exp(carrier.t1_spread * ABSCISSAE)
        flips, power, frequency = column(flips), column(laser_power), column(frequency)
        return answer(flips, carrier, power, many, frequency, harmonic) @ WEIGHTS

    return mean
