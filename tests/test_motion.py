"""Closed forms of motion, against their laws and against fine steps."""

from itertools import pairwise
from math import exp

import numpy as np
import pytest

from odmrlab.ioc.physics.motion import Piece, Remanence, ramp, relaxation


def stepped(command, time_constant: float, start: float, times: np.ndarray) -> np.ndarray:
    """Follow a command in steps, each exact for a command that is straight between two times."""
    followed = [start]
    for before, now in pairwise(times):
        slope, lag = (command(now) - command(before)) / (now - before), time_constant
        rest = followed[-1] - command(before) + slope * lag
        fade = exp(-(now - before) / lag)
        followed.append(command(now) - slope * lag + rest * fade)
    return np.array(followed)


def test_ramp_never_overshoots():
    down = ramp(start=10, target=-10, rate=5, began=100)
    assert down.ends == 104
    assert [down.at(t) for t in (100, 102, 104, 1000)] == [10, 0, -10, -10]


def test_ramp_to_where_it_is_ends_at_once():
    assert ramp(4, 4, rate=1, began=7).ends == 7


def test_motion_holds_its_target_before_it_ends():
    held = ramp(start=0, target=1, rate=1, began=0).held(2)
    assert (held.at(1), held.ends) == (1, 3)


def test_relaxation_ends_within_its_tolerance():
    warming = relaxation(start=1.6, target=10, time_constant=5, began=0, tolerance=1e-3)
    before = warming.at(warming.ends - 1e-9)
    assert before == pytest.approx(10, abs=1.001e-3) and before < 10
    assert warming.at(warming.ends) == 10
    assert warming.at(5) == pytest.approx(10 - 8.4 / 2.718281828)


def test_relaxation_to_where_it_is_ends_at_once():
    assert relaxation(start=4, target=4, time_constant=5, began=7).ends == 7


@pytest.mark.parametrize("overshoot", [0.02, 0.05, 0.3])
def test_controller_overshoots_by_what_was_asked_and_starts_without_a_kink(overshoot):
    up = relaxation(0, 10, time_constant=3, began=0, overshoot=overshoot)
    times = np.linspace(0, up.ends, 20001)
    values = np.array([up.at(t) for t in times])
    assert values.max() == pytest.approx(10 * (1 + overshoot), rel=1e-4)
    assert values[0] == 0 and values[1] < 1e-3
    assert np.all(abs(values[times > up.ends - 1e-3] - 10) <= 1e-3)


@pytest.mark.parametrize("lag", [0.5, 2.0])
def test_lag_of_a_ramp_is_rate_times_time_constant(lag):
    lagging = ramp(0, 100, rate=5, began=0).lagged(lag, start=0, tolerance=1e-4)
    assert lagging.at(20 - 1e-9) == pytest.approx(100 - 5 * lag, abs=1e-3)
    assert lagging.at(lagging.ends - 1e-6) == pytest.approx(100, abs=1.01e-4)
    assert lagging.at(lagging.ends) == 100


@pytest.mark.parametrize("second", [0.3, 1.0, 4.0])
def test_two_lags_in_a_row_agree_with_fine_steps(second):
    """Supply and eddy currents; equal time constants count as 0.2 % apart."""
    first = ramp(10, 40, rate=5, began=2).lagged(1.0, start=12, tolerance=1e-4)
    both = first.lagged(second, start=9, tolerance=1e-4)
    times = np.linspace(2, 20, 30001)
    expected = stepped(first.at, second if second != 1.0 else 1.002, 9, times)
    seen = np.array([both.at(t) for t in times])
    before_the_end = times < first.ends  # the first one then jumps to its target by its tolerance
    assert abs(seen - expected)[before_the_end].max() < 1e-4


def test_lag_of_an_overshoot_agrees_with_fine_steps():
    up = relaxation(2, 10, time_constant=5, began=0, overshoot=0.05)
    times = np.linspace(0, up.ends - 1e-6, 30001)
    sensor = up.lagged(1.0, start=2, tolerance=1e-3)
    assert np.allclose([sensor.at(t) for t in times], stepped(up.at, 1.0, 2, times), atol=1e-5)


def test_lag_of_nothing_is_the_motion_itself():
    line = ramp(0, 1, 1, 0)
    assert line.lagged(0.0, start=5, tolerance=1e-3) is line


def test_piece_between_two_others_goes_on_where_the_first_ends():
    lagging = ramp(0, 10, rate=1, began=0).lagged(3.0, start=0, tolerance=1e-4)
    assert lagging.at(10 - 1e-9) == pytest.approx(lagging.at(10 + 1e-9), abs=1e-7)
    assert Piece(0, 1, 2).at(3) == 7


def test_remanence_saturates_and_a_closed_cycle_leaves_the_opposite_sign():
    iron, state = Remanence(size=2, coercive_field=50), 0.0
    for change, expected in ((100, 1.0), (-100, -1.0), (25, -0.5), (75, 1.0)):
        state = iron.magnetisation(state, change)
        assert state == expected
    assert iron.field(0.0, state) == -2.0  # the field at the sample after a positive sweep


def test_half_difference_of_both_signs_is_free_of_the_remanence():
    iron = Remanence(size=2, coercive_field=50, offset=0.7)
    up = iron.field(80, iron.magnetisation(0.0, 300))
    down = iron.field(-80, iron.magnetisation(1.0, -300))
    assert (up - down) / 2 == pytest.approx(78) and (up + down) / 2 == pytest.approx(0.7)


def test_sweep_to_the_coercive_field_and_back_leaves_no_magnetisation():
    iron = Remanence(size=2, coercive_field=50)
    state = iron.magnetisation(1.0, -550)  # from 500 mT to -50 mT
    assert iron.magnetisation(state, 50) == 0.0
