"""``odmrlab journal``: status, verify, replay and prune, and no traceback for anybody."""

import os
import shutil

import pyarrow
import pytest
from test_cli import odmrlab
from test_journal import a_run, flip, keep, uid_of
from typer.testing import CliRunner

from odmrlab.lab.record import catalogue
from odmrlab.lab.record.commands import journal as commands
from odmrlab.lab.record.inventory import inventory, where_now
from odmrlab.lab.record.journal import Journal, read
from odmrlab.lab.settings import Settings


@pytest.fixture
def settings(tmp_path, monkeypatch) -> Settings:
    monkeypatch.setenv("ODMRLAB_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    return Settings()


@pytest.fixture
def runs(settings) -> list:
    """Give the documents of three finished runs in the journal."""
    runs = [a_run(3) for _ in range(3)]
    journal = Journal(settings.journal)
    for documents in runs:
        keep(journal, documents)
    return runs


def say(*words: str, status: int = 0, answer: str = "") -> str:
    done = CliRunner().invoke(commands, words, input=answer)
    assert done.exit_code == status, done.output
    return done.output


def test_three_replays_are_one_and_prune_takes_only_what_is_verified(settings, runs):
    for _ in range(3):
        assert "3 runs replayed, 0 of them in quarantine" in say("replay")
    assert "3 of 3 runs are in the catalogue, row by row" in say("verify")
    with catalogue.connect(settings).context as context:
        client = catalogue.from_context(context)
        assert sorted(client) == sorted(map(uid_of, runs))
        for documents in runs:
            assert not list(catalogue.differences(client[uid_of(documents)], documents))
        catalogue.delete_run(client, uid_of(runs[0]))
        # one row twice
        table = client[uid_of(runs[1])]["primary"].base["internal"]
        first = pyarrow.Table.from_pandas(table.read()[:1], preserve_index=False)
        table.append_partition(0, first)
    wrong = say("verify", status=1)
    assert f"{uid_of(runs[0])}: not in the catalogue" in wrong
    assert f"{uid_of(runs[1])}: primary: 4 rows; needs 3" in wrong
    assert "1 of 3 runs are in the catalogue" in wrong
    assert "1 of 3 shipped runs are verified" in say("prune", answer="n\n", status=1)
    assert len(list(settings.journal.glob("shipped/*"))) == 3
    say("prune", "--yes")
    left = {path.stem for path in settings.journal.glob("shipped/*")}
    assert left == {uid_of(runs[0]), uid_of(runs[1])}
    say("replay")
    assert "2 of 2 runs are in the catalogue, row by row" in say("verify")


def test_a_lost_catalogue_is_made_again(settings, runs):
    say("replay")
    shutil.rmtree(settings.catalogue)
    assert say("status").count(" shipped ") == 3
    say("replay")
    assert "3 of 3" in say("verify")


def test_status_tells_every_state(settings, runs):
    died, running = a_run(2), a_run(5)
    crashed = Journal(settings.journal)
    keep(crashed, died[:-1])
    crashed.close()
    alive = Journal(settings.journal)
    keep(alive, running[:-1])
    flip(settings.journal / f"{uid_of(runs[0])}.jsonl", 3)
    lines = say("status").splitlines()
    rows = {line.split()[0]: line.split()[1:] for line in lines[1:]}
    assert rows[uid_of(died)][:2] == ["died", "2"]
    assert rows[uid_of(running)][:2] == ["running", "5"]
    assert rows[uid_of(runs[1])][:2] == ["finished", "3"]
    assert rows[uid_of(runs[0])][:2] == ["finished", "2"]
    wrong = say("replay", status=1)
    assert f"{uid_of(runs[0])}: JournalError: " in wrong and "line 4: damaged" in wrong
    rows = {line.split()[0]: line.split()[1:] for line in say("status").splitlines()[1:]}
    assert rows[uid_of(died)][:2] == ["shipped", "2"] and rows[uid_of(died)][3] == "yes"
    assert rows[uid_of(runs[0])][0] == "quarantine"
    assert rows[uid_of(running)][0] == "running"
    assert "line 4: damaged" in say("verify", status=1)
    alive.close()


def test_nothing_there_is_no_mistake(settings):
    assert "no runs in" in say("status")
    assert "0 of 0 runs" in say("verify")
    assert "0 runs replayed" in say("replay")
    assert "0 of 0 shipped runs" in say("prune")


@pytest.mark.parametrize("broken", ["catalog.db", "tables.db"])
def test_a_broken_catalogue_is_told_in_a_sentence(settings, runs, broken):
    say("replay")
    for path in settings.catalogue.glob(f"{broken}*"):
        path.unlink()
    (settings.catalogue / broken).write_bytes(os.urandom(5000))
    done = odmrlab("journal", "verify", home=settings.home)
    assert done.returncode == 2, done.stdout
    assert done.stderr.startswith("odmrlab: catalogue: ") and done.stderr.count("\n") == 1
    assert str(settings.catalogue) in done.stderr


def test_a_mistake_gets_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    done = odmrlab("journal", "replay", home=tmp_path / "file" / "home")
    assert done.returncode == 2
    assert "file/home/journal cannot be written" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_run_that_is_shipped_while_it_is_listed_is_there_once(settings, runs):
    listed = inventory(settings.journal)
    seen = [next(listed)]
    aside = settings.journal / "shipped"
    aside.mkdir()
    for path in settings.journal.glob("*.jsonl"):
        path.replace(aside / path.name)
    seen += listed
    assert sorted(kept.run for kept in seen) == sorted(map(uid_of, runs))
    assert [kept.state for kept in seen] == ["finished", "shipped", "shipped"]
    assert [len(list(read(where_now(kept.path)))) for kept in seen] == [6] * 3
