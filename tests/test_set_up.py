"""Settings of the bench are checked whole before the first is put."""

import pytest
from ophyd.utils import LimitError

from odmrlab.plans import set_up

pytestmark = pytest.mark.layer


def test_settings_are_put_together(bench, RE):
    RE(set_up(bench, {"rf.power": -3.0, "laser.shutter": "Closed", "lockin.filter_slope": 12}))
    assert bench.rf.power.get() == -3.0
    assert bench.laser.shutter.get() == "Closed"
    assert bench.lockin.filter_slope.get() == 12


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"rf.power": -3.0, "rf.colour": 1}, ValueError, "set_up: rf.colour=1; needs one of: mag"),
        ({"rf.power": 99.0}, LimitError, "rf_power: asked for 99.0"),
        ({"rf.power": "much"}, TypeError, "rf_power: asked for 'much'"),
        ({"laser.shutter": "open"}, ValueError, "laser_shutter: asked for 'open'; needs one of"),
        ({}, ValueError, "set_up: settings={}; needs at least one"),
    ],
)
def test_a_bad_setting_is_refused_and_none_is_put(bench, RE, settings, error, words):
    with pytest.raises(error, match=words):
        RE(set_up(bench, settings))
    assert bench.rf.power.get() == 0.0
