"""The catalogue gives back what it was given, in every process, once."""

import math
import os
import subprocess
import sys
from contextlib import ExitStack

import numpy as np
import pytest
import yaml
from event_model import compose_run
from tiled import profiles
from tiled.queries import Key

from odmrlab.lab.record import catalogue
from odmrlab.lab.settings import Settings

READER = """
import sys, time
from databroker import catalog
from tiled.queries import Key

runs = catalog["odmr"]
print(type(runs).__name__, flush=True)
last, seen, deadline = sys.argv[1], 0, time.monotonic() + 60
while time.monotonic() < deadline:
    seen += len(runs.search(Key("purpose") == "crowd"))
    if last in runs and "stop" in runs[last].metadata:
        print(len(runs[last]["primary"]["x"].read()), runs[-1].start["uid"] == last, seen > 0)
        break
    time.sleep(0.05)
"""


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    """Give a prepared catalogue; its profile stays out of the user's folder."""
    home = tmp_path_factory.mktemp("home of Zoë")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(profiles, "paths", [home / "profiles"])
        settings = Settings(home=home)
        catalogue.prepare(settings)
        yield settings


@pytest.fixture(scope="module")
def client(settings):
    client = catalogue.connect(settings)
    yield client
    client.context.close()


def a_run(columns: dict, **metadata) -> list:
    """Compose the documents of a run.

    Args:
        columns: By name: JSON type, shape, and the values of all events.
        metadata: Of the start document.
    """
    run = compose_run(metadata=metadata)
    keys = {
        name: {"source": "test", "dtype": kind, "shape": shape}
        for name, (kind, shape, _) in columns.items()
    }
    stream = run.compose_descriptor(name="primary", data_keys=keys)
    rows = zip(*(values for _, _, values in columns.values()), strict=True)
    events = [
        stream.compose_event(
            data=dict(zip(keys, row, strict=True)), timestamps=dict.fromkeys(keys, 0.0)
        )
        for row in rows
    ]
    return [
        ("start", run.start_doc),
        ("descriptor", stream.descriptor_doc),
        *(("event", event) for event in events),
        ("stop", run.compose_stop()),
    ]


def numbers(*values: float, **metadata) -> list:
    return a_run({"x": ("number", [], values)}, **metadata)


def uid_of(documents: list) -> str:
    return documents[0][1]["uid"]


def copies_of(documents: list, client) -> int:
    return len(client.search(Key("uid") == uid_of(documents)))


def test_a_run_is_found_by_uid_scan_id_and_place(client):
    catalogue.write_run(client, numbers(1.0, scan_id=41))
    documents = numbers(1.0, 2.0, scan_id=42)
    catalogue.write_run(client, documents)
    uid = uid_of(documents)
    for run in (client[uid], client[uid[:8]], client[42], client[-1]):
        assert run.start["uid"] == uid
    assert client[-2].start["scan_id"] == 41
    assert client[uid].stop["num_events"] == {"primary": 2}


def test_a_run_is_found_by_its_start_document(client):
    documents = numbers(1.0, technique="fit", model="spin_inertia")
    catalogue.write_run(client, documents)
    found = client.search(Key("technique") == "fit").search(Key("model") == "spin_inertia")
    assert list(found) == [uid_of(documents)]
    assert not len(client.search(Key("technique") == "witchcraft"))


def test_every_kind_of_column_survives(client):
    covariance = [[[1.0, 2.0, 3.0], [4.0, math.nan, 6.0], [7.0, 8.0, 9.0 + i]] for i in range(2)]
    columns = {
        "covariance": ("array", [3, 3], covariance),
        "verdict": ("string", [], ["white", "größer"]),
        "shot": ("integer", [], [3, 2**40]),
        "overload": ("boolean", [], [True, False]),
        "lockin_x": ("number", [], [math.nan, 1.5e-300]),
        "power": ("number", [], [1, 2.5]),
    }
    documents = a_run(columns)
    catalogue.write_run(client, documents)
    stream = client[uid_of(documents)]["primary"]
    for name, (_, _, values) in columns.items():
        np.testing.assert_array_equal(stream[name].read(), values)
    assert stream["overload"].read().dtype == bool
    assert stream["shot"].read().dtype == int


def test_documents_come_back_as_documents(client):
    documents = numbers(1.0, 2.0)
    catalogue.write_run(client, documents)
    back = list(client[uid_of(documents)].documents())
    assert [name for name, _ in back] == [name for name, _ in documents]
    assert [doc["data"] for name, doc in back if name == "event"] == [{"x": 1.0}, {"x": 2.0}]


def test_a_stream_without_events_is_whole(client):
    documents = a_run({"x": ("number", [], [])})
    catalogue.write_run(client, documents)
    assert list(client[uid_of(documents)]) == ["primary"]


def test_a_complete_run_is_left_alone(client):
    documents = numbers(1.0)
    catalogue.write_run(client, documents)
    client[uid_of(documents)].update_metadata({"note": "by hand"})
    catalogue.write_run(client, documents)
    assert copies_of(documents, client) == 1
    assert client[uid_of(documents)].metadata["note"] == "by hand"


@pytest.mark.parametrize("left", [1, 4])
def test_a_half_written_run_is_written_anew(client, left):
    documents = a_run({"x": ("number", [], [1.0] * 5), "c": ("array", [2], [[1.0, 2.0]] * 5)})
    writer = catalogue.RunWriter(client)
    for document in documents[:left]:
        writer(*document)
    writer.flush()
    catalogue.write_run(client, documents)
    run = client[uid_of(documents)]
    assert copies_of(documents, client) == 1
    assert catalogue.count_rows(run) == {"primary": {5}}
    assert run["primary"]["c"].read().shape == (5, 2)


def test_lost_rows_are_noticed_and_not_left_there(client, monkeypatch):
    class Forgetful(catalogue.RunWriter):
        def __call__(self, name, doc):
            if doc.get("seq_num") != 2:
                super().__call__(name, doc)

    monkeypatch.setattr(catalogue, "RunWriter", Forgetful)
    documents = numbers(1.0, 2.0, 3.0)
    with pytest.raises(catalogue.CatalogueError, match="primary, event 2, seq_num: 3; needs 2"):
        catalogue.write_run(client, documents)
    assert uid_of(documents) not in client


def test_rows_that_come_bit_by_bit_are_the_same_rows(client):
    columns = {
        "x": ("number", [], [1, 2, 2.5, math.nan]),
        "n": ("integer", [], [1, 2, 3, 2**40]),
        "flag": ("boolean", [], [True, False, True, True]),
        "verdict": ("string", [], ["a", "b", "", "größer"]),
        "c": ("array", [2], [[1, 2], [3.5, 4], [5, 6], [7, math.nan]]),
    }
    documents = a_run(columns)
    writer = catalogue.RunWriter(client)
    for document in documents:
        writer(*document)
        writer.flush()
    assert not list(catalogue.differences(client[uid_of(documents)], documents))


def test_a_difference_is_told_with_its_place(client):
    documents = a_run({"x": ("number", [], [1.0, 2.0]), "c": ("array", [2], [[1.0, 2.0]] * 2)})
    catalogue.write_run(client, documents)
    run = client[uid_of(documents)]
    documents[3][1]["data"] |= {"x": math.nan, "c": [1.0, 3.0]}
    assert list(catalogue.differences(run, documents)) == [
        "primary, event 2, x: 2.0; needs nan",
        "primary, event 2, c: array([1., 2.]); needs [1.0, 3.0]",
    ]
    assert list(catalogue.differences(run, documents[:3])) == ["primary: 2 rows; needs 1"]


def test_a_run_without_its_stop_is_refused(client):
    with pytest.raises(ValueError, match="got descriptor last; needs a run from start to stop"):
        catalogue.write_run(client, numbers(1.0)[:2])


def test_two_processes_read_while_one_writes(settings, client):
    crowd = [numbers(*range(50), purpose="crowd") for _ in range(3)]
    command = [sys.executable, "-W", "ignore", "-c", READER, uid_of(crowd[-1])]
    environment = os.environ | {"TILED_PROFILES": str(settings.home / "profiles")}
    with ExitStack() as stack:
        readers = [
            stack.enter_context(
                subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
            )
            for _ in range(2)
        ]
        for reader in readers:
            assert reader.stdout.readline() == "CatalogOfBlueskyRuns\n"
        for documents in crowd:
            catalogue.write_run(client, documents)
        assert [reader.communicate(timeout=60)[0] for reader in readers] == ["50 True True\n"] * 2


def test_preparing_twice_changes_nothing(settings, client):
    documents = numbers(1.0)
    catalogue.write_run(client, documents)
    profile = catalogue.write_profile(settings)
    written = profile.stat().st_mtime_ns
    catalogue.prepare(settings)
    assert copies_of(documents, client) == 1
    assert profile.stat().st_mtime_ns == written


def test_the_profile_holds_no_secret_and_no_address(settings):
    text = catalogue.write_profile(settings).read_text()
    assert list(yaml.safe_load(text)) == ["odmr"]
    assert not any(word in text for word in ("key", "http", "password"))


@pytest.mark.filterwarnings("ignore:Skipping")  # Tiled's, about the broken one
@pytest.mark.parametrize("content", ["odmr: {uri: 'http://elsewhere'}\n", "not: [a profile"])
def test_the_profile_of_another_catalogue_is_refused(tmp_path, monkeypatch, content):
    monkeypatch.setattr(profiles, "paths", [tmp_path])
    (tmp_path / "odmr.yml").write_text(content)
    with pytest.raises(catalogue.CatalogueError, match="another name in ODMRLAB_CATALOGUE_PROFILE"):
        catalogue.write_profile(Settings(home=tmp_path / "home"))
    assert (tmp_path / "odmr.yml").read_text() == content
