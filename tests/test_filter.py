"""The state-space filter against matrix exponentials, closed forms and its own split steps."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.linalg import expm

from odmrlab.ioc.physics.filter import average, response, step
from odmrlab.ioc.physics.noise import averaging_factor, noise_bandwidth, settling_time

POLES = (1, 2, 3, 4)


def cascade(poles: int) -> np.ndarray:
    return np.eye(poles, k=-1) - np.eye(poles)


def van_loan(system: np.ndarray, drive: np.ndarray, duration: float):
    """Return transition and covariance of unit white noise by one matrix exponential."""
    n = len(system)
    block = np.block([[-system, np.outer(drive, drive)], [np.zeros((n, n)), system.T]])
    whole = expm(block * duration)
    keep = whole[n:, n:].T
    return keep, keep @ whole[:n, n:]


@pytest.mark.parametrize("duration", [0.1, 1.0, 7.0])
@pytest.mark.parametrize("poles", POLES)
def test_step_is_the_matrix_exponential_and_van_loan_covariance(poles, duration):
    keep, covariance = van_loan(cascade(poles), np.eye(poles)[0], duration)
    made = step(poles, duration)
    np.testing.assert_allclose(made.keep, keep, atol=1e-14)
    np.testing.assert_allclose(made.covariance, covariance, atol=1e-13)
    np.testing.assert_allclose(made.spread @ made.spread.T, covariance, atol=1e-13)
    np.testing.assert_allclose(made.hold, (np.eye(poles) - keep).sum(axis=1), atol=1e-13)


@pytest.mark.parametrize("duration", [0.3, 3.0])
@pytest.mark.parametrize("poles", POLES)
def test_average_is_van_loan_with_an_integrator(poles, duration):
    system = np.zeros((poles + 1, poles + 1))
    system[:poles, :poles], system[poles, poles - 1] = cascade(poles), 1.0
    keep, covariance = van_loan(system, np.eye(poles + 1)[0], duration)
    scale = np.append(np.full(poles, 1.0), 1 / duration)
    order = [poles, *range(poles)]
    made = average(poles, 0.0, duration)
    keep = (scale[:, None] * keep)[order][:, :poles]
    covariance = (covariance * np.outer(scale, scale))[np.ix_(order, order)]
    np.testing.assert_allclose(made.keep, keep, atol=1e-13)
    np.testing.assert_allclose(made.covariance, covariance, atol=1e-13)
    np.testing.assert_allclose(made.spread @ made.spread.T, covariance, atol=1e-13)


@pytest.mark.parametrize(("first", "then"), [(1e-4, 2e-4), (0.3, 0.9), (2.0, 30.0), (50.0, 1e6)])
@pytest.mark.parametrize("poles", POLES)
def test_two_steps_are_one(poles, first, then):
    a, b, whole = step(poles, first), step(poles, then), step(poles, first + then)
    np.testing.assert_allclose(b.keep @ a.keep, whole.keep, atol=1e-12)
    np.testing.assert_allclose(b.keep @ a.hold + b.hold, whole.hold, rtol=1e-12)
    both = b.keep @ a.covariance @ b.keep.T + b.covariance
    scale = np.sqrt(np.diag(whole.covariance))
    np.testing.assert_allclose((both - whole.covariance) / np.outer(scale, scale), 0, atol=1e-12)
    rise = first / (first + then)  # an input that rises along both
    ramp = rise * (b.keep @ a.ramp + b.hold) + (1 - rise) * b.ramp
    np.testing.assert_allclose(ramp, whole.ramp, rtol=1e-12)


@pytest.mark.parametrize("poles", POLES)
def test_noise_bandwidth_follows_from_the_covariance(poles):
    settled = step(poles, np.inf).covariance[-1, -1] / 2  # V^2 for 1 V/sqrt(Hz) and tau = 1 s
    assert settled == pytest.approx(noise_bandwidth(poles, 1.0), rel=1e-12)
    random = np.random.default_rng(poles)
    one, state, trace = step(poles, 0.5), np.zeros((poles, 2000)), []
    for _ in range(200):
        state = one.keep @ state + one.spread @ random.standard_normal(state.shape)
        trace.append(state[-1].copy())
    measured = np.mean(np.square(trace[60:])) / 2
    assert measured == pytest.approx(noise_bandwidth(poles, 1.0), rel=0.02)


@pytest.mark.parametrize("inaccuracy", [1e-1, 1e-3, 1e-5])
@pytest.mark.parametrize("poles", POLES)
def test_residual_after_the_wait_is_what_was_wanted(poles, inaccuracy):
    left = 1 - step(poles, settling_time(poles, 1.0, inaccuracy)).hold[-1]
    assert left == pytest.approx(inaccuracy, rel=1e-3)


@pytest.mark.parametrize("window", [3e-5, 0.1, 1.0, 30.0, 100.0, 1e5])
@pytest.mark.parametrize("poles", POLES)
def test_average_scatters_as_the_closed_form_says(poles, window):
    settled = step(poles, np.inf).covariance[-1, -1]
    made = average(poles, np.inf, window)
    expected = averaging_factor(poles, 1.0, window) * settled
    # the closed form loses digits on short windows
    assert made.covariance[0, 0] == pytest.approx(expected, rel=1e-6 if window > 1e-3 else 1e-3)
    assert made.hold[0] == pytest.approx(1, rel=1e-12)
    np.testing.assert_allclose(made.spread @ made.spread.T, made.covariance, rtol=1e-6)


@pytest.mark.parametrize("poles", POLES)
def test_steps_answer_a_slow_wave_as_the_transfer_function_does(poles):
    """Input joined by straight lines between the steps, lag included."""
    frequency, duration = 0.2, 0.02
    wave = np.exp(1j * frequency * duration * np.arange(5000))
    one, state = step(poles, duration), np.zeros(poles, complex)
    for start, end in pairwise(wave):
        state = one.keep @ state + one.hold * start + one.ramp * (end - start)
    assert state[-1] / wave[-1] == pytest.approx(complex(response(poles, frequency)), abs=1e-5)
