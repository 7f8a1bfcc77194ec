"""The campaign as items of the queue: every run of a rehearsal, in its order, on a bench set up for it."""

import json
from itertools import chain

import pytest

from odmrlab.lab.campaign.benches import rehearsed_samples
from odmrlab.lab.campaign.findings import Findings
from odmrlab.lab.campaign.paper import CELLS, START
from odmrlab.lab.campaign.queued import in_order, items_of
from odmrlab.lab.campaign.rehearsal import Rehearsal
from odmrlab.lab.campaign.scan import Scan, perform
from odmrlab.lab.queue.form import check_form


@pytest.fixture(scope="module")
def cells():
    return items_of(["inertia"], "night")


def test_a_cell_comes_after_those_that_it_needs(cells):
    assert in_order(["inertia"]) == list(cells) == ["survey", "blank", "inertia"]


def test_every_item_has_the_form_of_one_and_goes_through_json(cells):
    for item in chain(*cells.values()):
        check_form(json.loads(json.dumps(item)))


def test_the_bench_is_set_up_for_every_run(cells, tmp_path):
    scans, found, lab = [], Findings(), Rehearsal(rehearsed_samples(tmp_path), None)
    for name in cells:
        perform(CELLS[name].work(found), lab, scans.append)
    scans = iter([task for task in scans if isinstance(task, Scan)])
    held, runs = {}, 0
    for item in chain(*cells.values()):
        if item["name"] == "set_up":
            held |= item["kwargs"]["settings"]
            continue
        scan, runs = next(scans), runs + 1
        assert (START | scan.settings).items() <= held.items()
        assert item["kwargs"]["md"]["label"] == scan.label
        moved = {"magnet": "magnet.field"}
        held |= dict.fromkeys((moved.get(name, name) for name in item["args"]), "elsewhere")
    assert runs > 3 and next(scans, None) is None


def test_a_cell_on_other_benches_or_of_no_name_is_refused():
    with pytest.raises(ValueError, match="cell 'energies' moves between benches; needs reproduce"):
        items_of(["energies"], "night")
    with pytest.raises(ValueError, match="cell 'nothing'; needs one of: survey, spectra"):
        items_of(["nothing"], "night")
