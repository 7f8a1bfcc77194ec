"""The bus only hints: whoever is late, slow or alone still gets every document, once."""

import json
import subprocess
import sys
import threading
import time
from contextlib import ExitStack

import pytest
import zmq
from pydantic import ValidationError
from test_journal import a_run, keep, keep_all, uid_of, wait_for

from odmrlab.lab.record.bus import PATIENCE, Subscription, publishing
from odmrlab.lab.record.journal import Journal
from odmrlab.lab.settings import Settings

SUBSCRIBER = """
import sys
from odmrlab.lab.record.bus import Subscription
from odmrlab.lab.settings import Settings

left = int(sys.argv[2])
with Subscription(Settings(home=sys.argv[1])) as subscription:
    for name, document in subscription:
        print(document["uid"], flush=True)
        left -= name == "stop"
        if not left:
            break
"""


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(home=tmp_path)


@pytest.fixture
def journal(settings):
    journal = Journal(settings.journal)
    yield journal
    journal.close()


def set_aside(journal: Journal, documents: list) -> None:
    path = journal.folder / f"{uid_of(documents)}.jsonl"
    (journal.folder / "shipped").mkdir(exist_ok=True)
    path.rename(journal.folder / "shipped" / path.name)


def test_past_and_present_come_once_and_in_order(settings, journal):
    past, present = a_run(), a_run()
    keep(journal, past)
    set_aside(journal, past)
    keep(journal, present[:2])
    with publishing(settings), Subscription(settings) as subscription:
        documents = subscription.documents(10)
        assert [next(documents) for _ in range(7)] + [] == past + present[:1]
        keep_rest = threading.Thread(target=keep_all, args=(journal, present[2:]))
        keep_rest.start()
        assert [next(documents) for _ in range(5)] == present[1:]
        keep_rest.join()
        set_aside(journal, present)
        assert not list(subscription.documents(0))


def test_a_hint_is_faster_than_looking(settings, journal):
    documents = a_run()
    with publishing(settings), Subscription(settings) as subscription:
        news = subscription.documents(30)
        waits = []
        for document in documents:
            timer = threading.Timer(0, journal, document)
            timer.start()
            began = time.monotonic()
            assert next(news) == document
            waits.append(time.monotonic() - began)
    assert min(waits) < PATIENCE / 2


def test_without_a_bus_nothing_is_lost(settings, journal):
    documents = a_run()
    with Subscription(settings) as subscription:
        threading.Thread(target=keep, args=(journal, documents)).start()
        news = subscription.documents(30)
        assert [next(news) for _ in documents] == documents


def test_a_bus_that_dies_and_comes_back_loses_nothing(settings, journal):
    runs = [a_run(50) for _ in range(3)]
    with Subscription(settings) as subscription:
        news = subscription.documents(30)
        for documents in runs:
            with publishing(settings):
                keep(journal, documents[:20])
                seen = [next(news) for _ in range(10)]
            keep_all(journal, documents[20:])
            assert seen + [next(news) for _ in documents[10:]] == documents


def test_what_is_older_is_left_out_if_asked(settings, journal):
    keep(journal, a_run())
    with Subscription(settings, since=time.time() + 60) as subscription:
        assert not list(subscription.documents(0))


def test_lies_and_garbage_on_the_bus_do_nothing(settings, journal):
    documents = a_run()
    with ExitStack() as stack:
        context = stack.enter_context(zmq.Context())
        liar = stack.enter_context(context.socket(zmq.PUB))
        liar.bind(settings.bus_address)
        subscription = stack.enter_context(Subscription(settings))
        keep(journal, documents)
        for lie in (b"garbage", json.dumps({"run": "../../etc/passwd", "lines": 9}).encode()):
            liar.send(lie)
        assert list(subscription.documents(0)) == documents


def test_a_bus_that_cannot_be_opened_is_logged_and_hurts_nobody(settings, caplog):
    settings = settings.model_copy(update={"bus": "ipc:///no/such/folder/bus"})
    with publishing(settings):
        wait_for(lambda: caplog.messages)
    assert "bus: ipc:///no/such/folder/bus cannot be opened" in caplog.text


@pytest.mark.parametrize("address", ["tcp://*:5555", "tcp://0.0.0.0:5555", "5555"])
def test_the_bus_stays_on_this_host(address):
    with pytest.raises(ValidationError, match="bus"):
        Settings(bus=address)


def test_a_killed_subscriber_hurts_nobody_and_another_catches_up(settings, journal):
    runs = [a_run(200), a_run(200)]
    command = [sys.executable, "-c", SUBSCRIBER, str(settings.home), "2"]
    keep(journal, runs[0])
    with publishing(settings):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as killed:
            assert killed.stdout.readline().strip() == uid_of(runs[0])
            killed.kill()
        keep(journal, runs[1])
        late = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=60, check=True)
    assert late.stdout.split() == [document["uid"] for run in runs for _, document in run]
