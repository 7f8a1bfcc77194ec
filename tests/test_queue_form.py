"""Items of a wrong form, and requests of a wrong group, are refused with the field's name."""

import json

import pytest

from odmrlab.lab.queue.described import arguments
from odmrlab.lab.queue.form import FormError, check_form, check_size
from odmrlab.lab.queue.rights import LOOK, MAY, STOP, NotAllowedError, check_right
from odmrlab.plans import odmr

GOOD = {"item_type": "plan", "name": "odmr", "args": ["lockin", "magnet", 20, 65]}


def test_a_good_item_is_taken():
    check_form(GOOD | {"kwargs": {"num": 41, "md": {"sample": {"name": "a"}}}, "meta": {"x": 1}})


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ({"kwargs": {"num": float("nan")}}, r"odmr: num=nan; needs a finite number"),
        ({"args": ["lockin", "magnet", float("-inf")]}, r"odmr: args\[2\]=-inf; needs a finite"),
        ({"kwargs": {"md": {"a": "x" * 70_000}}}, r"odmr: md of 70,009 characters; needs at most"),
        ({"meta": {"a": "x" * 70_000}}, r"odmr: meta of 70,009 characters; needs at most 65,536"),
        (
            {"kwargs": {"md": {"a": [{"b": {"c": {"d": {"e": 1}}}}]}}},
            r"odmr: md is 6 levels deep; needs",
        ),
        ({"kwargs": [1]}, r"odmr: kwargs=\[1\]; needs an object"),
        ({"args": {"a": 1}}, r"odmr: args=\{'a': 1\}; needs a list"),
        ({"code": "import os"}, r"odmr: 'code' in the item; needs none but"),
        ({"name": 17}, r"queue: item=.*; needs an object with a name"),
        ({"name": "x" * 1000}, r"queue: name of 1000 characters; needs at most 100"),
    ],
)
def test_an_item_of_a_wrong_form_is_refused(part, words):
    with pytest.raises(FormError, match=words):
        check_form(GOOD | part)


def test_a_large_request_is_refused_with_its_largest_field():
    item = GOOD | {"kwargs": {"md": {"notes": "x" * 10_000_000}}}
    request = json.dumps({"method": "queue_item_add", "params": {"item": item}}).encode()
    with pytest.raises(FormError, match=r"queue: item.kwargs.md.notes of 10,000,\d{3} bytes"):
        check_size(request)


def test_a_large_request_that_is_no_json_is_refused():
    with pytest.raises(FormError, match="queue: request of 2,000,000 bytes"):
        check_size(b"[" * 2_000_000)


def test_observers_change_nothing():
    assert MAY["observer"] == LOOK
    words = "queue: queue_start of group observer; needs group operator or expert"
    with pytest.raises(NotAllowedError, match=words):
        check_right("observer", "queue_start", None)


@pytest.mark.parametrize("method", sorted(STOP))
def test_who_measures_may_stop(method):
    for group in ("operator", "expert"):
        check_right(group, method, None)


@pytest.mark.parametrize(
    "method", ["script_upload", "function_execute", "permissions_set", "manager_kill", "nonsense"]
)
@pytest.mark.parametrize("group", MAY)
def test_what_runs_code_or_gives_rights_is_for_nobody(group, method):
    with pytest.raises(NotAllowedError, match=f"{method} of group {group}; nobody may"):
        check_right(group, method, None)


@pytest.mark.parametrize("claimed", ["root", "expert", "", 17, ["operator"]])
def test_another_group_is_not_to_be_had_by_claiming_it(claimed):
    with pytest.raises(NotAllowedError, match="user_group=.* came over the address of group oper"):
        check_right("operator", "queue_item_add", claimed)


def test_arguments_are_described_with_their_units():
    described = arguments(odmr)
    assert described["start"] == "First field [mT]."
    assert described["both_signs"].endswith("free of an offset of the magnet.")
    assert list(described) == [
        *("lockin", "magnet", "start", "stop", "num"),
        *("both_signs", "lines", "fewer", "down", "md"),
    ]
