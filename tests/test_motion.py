"""Closed forms of motion."""

import pytest

from odmrlab.ioc.physics.motion import Ramp, Relaxation


def test_ramp_never_overshoots():
    ramp = Ramp(start=10, target=-10, rate=5, began=100)
    assert ramp.ends == 104
    assert [ramp.at(t) for t in (100, 102, 104, 1000)] == [10, 0, -10, -10]


def test_ramp_settles_at_its_target_before_it_ends():
    ramp = Ramp(start=0, target=1, rate=1, began=0, settling=2)
    assert (ramp.at(1), ramp.ends) == (1, 3)


def test_relaxation_ends_within_its_tolerance():
    warming = Relaxation(start=1.6, target=10, time_constant=5, began=0, tolerance=1e-3)
    before = warming.at(warming.ends - 1e-9)
    assert before == pytest.approx(10, abs=1.001e-3) and before < 10
    assert warming.at(warming.ends) == 10
    assert warming.at(5) == pytest.approx(10 - 8.4 / 2.718281828)


def test_relaxation_to_where_it_is_ends_at_once():
    assert Relaxation(start=4, target=4, time_constant=5, began=7).ends == 7
