"""The drift of a monitor has the law it is given, however often it is looked at."""

from random import Random

import numpy as np
import pytest

from odmrlab.ioc.physics.drift import Drift

CHANCE = Random(5)  # noqa: S311


@pytest.mark.parametrize("step", [1.0, 10.0])
def test_deviation_and_correlation_do_not_depend_on_the_step(step):
    drift = Drift(0.3, correlation_time=20.0, random=CHANCE)
    seen = np.array([drift.at(step * n) for n in range(40000)])
    lag = round(20 / step)
    assert seen.std() == pytest.approx(0.3, rel=0.05)
    assert np.corrcoef(seen[lag:], seen[:-lag])[0, 1] == pytest.approx(np.exp(-1), abs=0.04)


def test_no_deviation_is_no_drift():
    drift = Drift(0.0, correlation_time=20.0, random=CHANCE)
    assert [drift.at(t) for t in (0.0, 1.0, 100.0)] == [0.0, 0.0, 0.0]
