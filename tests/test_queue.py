"""The plans as the queue server sees them: found, described, and their arguments checked."""

import pytest
from bluesky_queueserver.manager.profile_ops import (
    existing_plans_and_devices_from_nspace,
    validate_plan,
)

from odmrlab import plans

ITEMS = {
    "odmr": ["lockin", "magnet", 20, 65],
    "find_resonance": ["lockin", "magnet", 0.0, 100.0],
    "spin_inertia": ["lockin", "rf.modulation_frequency"],
}


@pytest.fixture(scope="module")
def known(instruments):
    """Give plans and devices as the worker lists them for the manager."""
    namespace = {name: getattr(plans, name) for name in ITEMS} | vars(instruments)
    found, devices, *_ = existing_plans_and_devices_from_nspace(nspace=namespace)
    return found, devices


@pytest.mark.parametrize("name", ITEMS)
def test_plan_is_accepted_with_good_arguments(known, name):
    item = {"item_type": "plan", "name": name, "args": ITEMS[name]}
    accepted, why = validate_plan(item, allowed_plans=known[0], allowed_devices=known[1])
    assert accepted, why


@pytest.mark.parametrize(("place", "value"), [(0, 17), (1, 3.5), (2, "ten"), (3, [1.0])])
def test_plan_is_refused_with_a_bad_argument(known, place, value):
    arguments = list(ITEMS["odmr"])
    arguments[place] = value
    item = {"item_type": "plan", "name": "odmr", "args": arguments}
    accepted, _ = validate_plan(item, allowed_plans=known[0], allowed_devices=known[1])
    assert not accepted
