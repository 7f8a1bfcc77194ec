"""The queue as a facility uses it: stock clients, user groups, and refusals before the queue."""

import json
import stat
from contextlib import closing

import httpx
import pytest
from bluesky_queueserver_api.zmq import REManagerAPI
from laboratory import free_port
from queue_laboratory import SAFE, QueueLaboratory, plan
from test_journal import wait_for

from odmrlab.lab.queue.service import (
    client_environment,
    http_command,
    http_environment,
    keys,
)

PLANS = ["blank", "find_resonance", "harmonics", "odmr", "one_point", "resume", "set_up"]
PLANS += ["spin_inertia", "t1_against"]
SCAN = ("odmr", "lockin", "magnet", 20, 65)
LONG = {"num": 4000}


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with QueueLaboratory(tmp_path_factory.mktemp("home"), speed=500) as lab:
        yield lab


@pytest.fixture(autouse=True)
def empty(lab):
    lab.ask("operator", "queue_clear")
    lab.ask("expert", "history_clear")
    yield
    lab.wait_until_idle()


def items(lab):
    return [item["kwargs"].get("num") for item in lab.ask("observer", "queue_get")["items"]]


def test_every_group_sees_its_plans_and_no_others(lab):
    for group, seen in (("observer", []), ("operator", PLANS), ("expert", PLANS)):
        assert sorted(lab.ask(group, "plans_allowed", user_group=group)["plans_allowed"]) == seen


def test_clients_are_shown_units_and_defaults(lab):
    shown = lab.ask("operator", "plans_allowed", user_group="operator")["plans_allowed"]
    described = {one["name"]: one for one in shown["odmr"]["parameters"]}
    assert described["start"]["description"] == "First field [mT]."
    assert described["num"]["default"] == "41"
    described = {one["name"]: one for one in shown["spin_inertia"]["parameters"]}
    assert described["delay"]["description"] == "Of the detector [s], for the fit."


def test_stock_client_adds_edits_reorders_and_removes(lab):
    said = lab.qserver("operator", "queue", "add", "plan", plan(*SCAN, num=8))
    assert "odmr: 8 points, about" in said
    lab.qserver("operator", "queue", "add", "plan", plan(*SCAN, num=9))
    first, second = (item["item_uid"] for item in lab.ask("operator", "queue_get")["items"])
    lab.qserver("operator", "queue", "update", "plan", first, plan(*SCAN, num=10))
    assert items(lab) == [10, 9]
    lab.qserver("operator", "queue", "item", "move", second, "front")
    assert items(lab) == [9, 10]
    lab.qserver("operator", "queue", "item", "remove", second)
    assert items(lab) == [10]


def test_stock_client_runs_what_is_queued(lab):
    lab.add("set_up", {"rf.output": "On", "laser.shutter": "Open", "laser.power": 1.0})
    lab.add(*SCAN, num=41, md={"sample": "a"})
    lab.qserver("operator", "queue", "start")
    lab.wait_until_idle(ended=2)
    assert [entry["result"]["exit_status"] for entry in lab.history()] == ["completed"] * 2
    (run,) = lab.history()[1]["result"]["run_uids"]
    start = lab.documents(run)[0][1]
    assert (start["plan_name"], start["sample"]) == ("odmr", "a")
    assert (start["queue"]["user"], start["queue"]["group"]) == ("alice", "operator")


@pytest.mark.parametrize(
    ("option", "status"), [("stop", "stopped"), ("abort", "aborted"), ("halt", "halted")]
)
def test_stock_client_pauses_resumes_and_ends_a_plan(lab, option, status):
    lab.add("set_up", {"rf.output": "On", "laser.shutter": "Open", "laser.power": 1.0})
    lab.add(*SCAN, **LONG)
    lab.qserver("operator", "queue", "start")
    lab.wait_for_scan()
    lab.qserver("operator", "re", "pause", "immediate")
    lab.wait_until("paused", "paused")
    lab.qserver("operator", "re", "resume")
    lab.wait_until("executing_queue", "running")
    said = lab.qserver("operator", "re", option)
    assert f"the plan is being paused; re_{option} follows" in said
    lab.wait_until_idle(ended=2)
    assert lab.history()[-1]["result"]["exit_status"] == status
    wait_for(lambda: lab.bench() == SAFE)


def test_a_lock_keeps_nobody_from_stopping(lab):
    lab.add(*SCAN, **LONG)
    lab.ask("operator", "queue_start")
    lab.wait_for_scan()
    lab.ask("expert", "lock", environment=True, queue=True, lock_key="mine", user="eve")
    with pytest.raises(RuntimeError, match="Invalid lock key"):
        lab.add(*SCAN)
    lab.ask("operator", "re_abort")
    lab.wait_until_idle(ended=1)
    assert lab.history()[-1]["result"]["exit_status"] == "aborted"
    lab.ask("expert", "unlock", lock_key="mine")


def test_a_failing_plan_leaves_the_bench_safe_and_the_queue_stopped(lab):
    lab.add("set_up", {"rf.output": "On", "laser.shutter": "Open", "rf.power": -30.0})
    lab.add("find_resonance", "lockin", "magnet", 200, 210, num=8)
    lab.add(*SCAN, num=8)
    lab.ask("operator", "queue_start")
    lab.wait_until_idle(ended=2)
    result = lab.history()[-1]["result"]
    assert result["exit_status"] == "failed"
    assert "find_resonance: largest signal" in result["msg"]
    queued = lab.ask("observer", "queue_get")["items"]
    assert [item["name"] for item in queued] == ["find_resonance", "odmr"]
    assert lab.bench() == SAFE


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ((*SCAN, {"num": 10**12}), "odmr: .*num=1000000000000; needs .* at most 100000"),
        ((*SCAN, {"num": -8}), "odmr: .*num=-8; needs .* num >= 8"),
        ((*SCAN[:4], 6500), r"magnet_field: asked for 6500.0 \[mT\]; needs a number from -500"),
        ((*SCAN[:4], float("nan")), r"odmr: args\[3\]=nan; needs a finite number"),
        ((*SCAN[:4], "__import__('os')"), "odmr: stop=.*__import__.*valid number"),
        ((*SCAN[:2], "__import__('os')", 20, 65), "odmr: magnet=.*__import__.*; needs an instrum"),
        ((*SCAN[:2], "magnett", 20, 65), "odmr: magnet='magnett'; needs an instrument"),
        (("odmr", "rf", "lockin", 20, 65), "odmr: magnet='lockin'; .* that can be moved"),
        ((*SCAN[:4],), "odmr: missing a required argument: 'stop'"),
        ((*SCAN, {"points": 3}), "odmr: got an unexpected keyword argument 'points'"),
        (("count", ["lockin"]), "queue: 'count' is no plan of group operator; needs one of: bla"),
        ((*SCAN, {"md": {"a": "x" * 70_000}}), "odmr: md of 70,009 characters; needs at most"),
        ((*SCAN, {"md": {"a": "x" * 10**7}}), "queue: item.kwargs.md.a of 10,000,.*; needs at mo"),
        (("spin_inertia", "lockin", "rf.modulation_frequency", {"delay": -1.0}), "delay=-1.0 s"),
        (("set_up", {"laser.shutter": "open"}, {}), "laser_shutter: asked for 'open'; needs one"),
        (("resume", "nothing"), "resume: 0 runs of the journal begin with 'nothing'"),
    ],
)
def test_a_bad_item_is_refused_before_the_queue(lab, item, words):
    *args, last = item
    args, kwargs = (args, last) if isinstance(last, dict) else ([*args, last], {})
    with pytest.raises(RuntimeError, match=words):
        lab.add(*args, **kwargs)
    assert items(lab) == []


def test_a_batch_with_one_bad_item_is_refused_whole(lab):
    batch = [{"item_type": "plan", "name": "odmr", "args": [*SCAN[1:]], "kwargs": {"num": num}}
             for num in (8, 3)]  # fmt: skip
    with pytest.raises(RuntimeError, match="num=3; needs .* num >= 8"):
        lab.ask(
            "operator", "queue_item_add_batch", items=batch, user="alice", user_group="operator"
        )
    assert items(lab) == []


def test_requests_of_another_group_and_scripts_are_refused(lab):
    item = json.loads(plan(*SCAN)) | {"item_type": "plan"}
    for group, method, params, words in (
        ("operator", "queue_item_add", {"item": item, "user_group": "root"}, "user_group='root'"),
        ("observer", "queue_item_add", {"item": item}, "needs group operator or expert"),
        ("observer", "re_abort", {}, "needs group operator or expert"),
        ("operator", "environment_destroy", {}, "needs group expert"),
        ("expert", "script_upload", {"script": "import os"}, "nobody may"),
        ("expert", "function_execute", {"item": {"name": "print"}}, "nobody may"),
        ("expert", "permissions_set", {"user_group_permissions": {}}, "nobody may"),
    ):
        with pytest.raises(RuntimeError, match=words):
            lab.ask(group, method, **params)


def test_a_client_without_the_key_of_the_address_hears_nothing(lab):
    public = keys(lab.settings).public("observer")
    expert = f"tcp://127.0.0.1:{lab.ports.expert}"
    stranger = REManagerAPI(zmq_control_addr=expert, zmq_public_key=public)
    with closing(stranger), pytest.raises(stranger.RequestTimeoutError):
        stranger.status()


def test_keys_are_readable_by_their_owner_alone(lab):
    files = list((lab.settings.home / "queue" / "keys").iterdir())
    assert len(files) == 8
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_bluesky_queueserver_api_is_a_client(lab):
    address = client_environment(lab.settings, lab.ports, "operator")
    with closing(
        REManagerAPI(
            zmq_control_addr=address["QSERVER_ZMQ_CONTROL_ADDRESS"],
            zmq_info_addr=address["QSERVER_ZMQ_INFO_ADDRESS"],
            zmq_public_key=address["QSERVER_ZMQ_PUBLIC_KEY"],
        )
    ) as api:
        api.user, api.user_group = "bob", "operator"
        api.console_monitor.enable()
        reply = api.item_add({"item_type": "plan", "name": "odmr", "args": [*SCAN[1:]]})
        assert reply["estimate"]["points"] == 41
        api.queue_start()
        api.wait_for_idle(timeout=60)
        assert api.history_get()["items"][-1]["result"]["exit_status"] == "completed"
        wait_for(lambda: "lockin_x" in api.console_monitor.text())


def test_everything_listens_on_the_loopback_address_alone(lab):
    assert set(lab.listening()) == {"127.0.0.1"}


def test_http_needs_the_token_and_is_refused_as_any_client(lab):
    pytest.importorskip("bluesky_httpserver", reason="comes with the extra http")
    port, key = free_port(), keys(lab.settings).token()
    lab.commands["http"] = http_command(port)
    lab.environment |= http_environment(lab.settings, lab.ports)
    lab.start("http")
    bad = {"item_type": "plan", "name": "odmr", "args": [*SCAN[1:]], "kwargs": {"num": 10**12}}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}/api") as client:
        wait_for(lambda: answers(client), 90)
        assert client.post("/queue/item/add", json={"item": bad}).status_code == 401
        client.headers["Authorization"] = f"ApiKey {key}"
        assert client.get("/status").json()["manager_state"] == "idle"
        assert "num=1000000000000" in client.post("/queue/item/add", json={"item": bad}).text


def answers(client):
    try:
        return client.get("/status")
    except httpx.ConnectError:
        return False
