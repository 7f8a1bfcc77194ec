"""Each thing that can be wrong is named by the doctor, and makes a start fail with its cause."""

import os
import signal
import socket
import sqlite3
import stat
import threading
from pathlib import Path

import pytest
from laboratory import free_port, ioc
from services import PATIENCE, Home
from test_journal import wait_for

from odmrlab.ioc import rack
from odmrlab.lab.record import catalogue
from odmrlab.lab.services import checks_of_files, lookout, queued
from odmrlab.lab.services.doctor import CHECKS, load
from odmrlab.lab.services.laboratory import INSTRUMENTS, Laboratory, LaboratoryError
from odmrlab.lab.services.ports import holder
from odmrlab.lab.settings import Settings


@pytest.fixture
def settings(short_folder, monkeypatch) -> Settings:
    monkeypatch.setattr("tiled.profiles.paths", [short_folder / "profiles"])
    return Settings(home=short_folder / "home")


def causes(settings, **changes) -> str:
    """Return what makes a start fail; plans, whose import takes seconds, have a test of their own."""
    laboratory = Laboratory(prefix="ODMR:", **changes)
    load()
    looks = [item.look for item in CHECKS if item.when == "start"]
    looks.remove(checks_of_files.plans)
    return "\n".join(wrong for look in looks for wrong in look(settings, laboratory))


def test_nothing_is_wrong_with_an_empty_folder(settings):
    assert causes(settings) == ""


def test_instruments_are_those_of_the_rack():
    assert rack.INSTRUMENTS == INSTRUMENTS


def test_every_check_says_what_it_looks_at():
    names = [item.name for item in CHECKS]
    assert all(names) and len(set(names)) == len(names)


def test_port_that_is_taken_names_who_has_it(settings):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = causes(settings, ports={"catalogue": port})
    assert f"catalogue: port {port} is taken by process {os.getpid()}" in said
    assert "--fresh-ports" in said


def test_file_in_place_of_the_catalogue_is_named(settings):
    settings.home.mkdir()
    settings.catalogue.write_text("")
    assert f"catalogue: {settings.catalogue} cannot be written (File exists)" in causes(settings)


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_catalogue_that_cannot_be_written_is_named(settings):
    database = made(settings)
    database.chmod(0o400)
    assert f"catalogue: {database} cannot be written (attempt to write" in causes(settings)


def test_catalogue_that_another_program_holds_is_named(settings):
    database = sqlite3.connect(made(settings))
    database.execute("BEGIN IMMEDIATE")
    assert "cannot be written (database is locked)" in causes(settings)
    database.close()
    assert causes(settings) == ""


def test_catalogue_that_is_no_database_is_named(settings):
    made(settings).write_bytes(b"nonsense" * 200)
    assert "cannot be written (file is not a database)" in causes(settings)


def made(settings):
    catalogue.create(settings)
    return settings.catalogue / "catalog.db"


def test_bad_files_of_sample_and_bench_are_named(settings, tmp_path):
    sample, bench = tmp_path / "sample.toml", tmp_path / "bench.toml"
    sample.write_text("[electron]\ng_factor = 2\n")
    bench.write_text("[squid]\n")
    said = causes(settings, sample=sample, bench=bench)
    assert f"{sample}: " in said and "g_factor" in said
    assert f"{bench}: " in said and "squid" in said


def test_name_of_another_catalogue_is_named(settings):
    assert causes(settings) == ""
    said = causes(Settings(home=settings.home.parent / "other"))
    assert "the Tiled profile 'odmr'" in said and "ODMRLAB_CATALOGUE_PROFILE" in said


def test_key_that_others_can_read_is_named(settings):
    key = settings.home / "keys" / "catalogue"
    key.parent.mkdir(parents=True)
    key.write_text("secret")
    key.chmod(0o644)
    said = causes(settings)
    assert f"keys: {key} has mode 0644; needs 0600: chmod 600 {key}" in said
    assert "secret" not in said
    key.chmod(stat.S_IRUSR | stat.S_IWUSR)
    assert causes(settings) == ""


def test_folder_that_is_too_long_for_a_socket_is_named(settings):
    long = settings.model_copy(update={"home": settings.home / ("x" * 100)})
    assert "is too long for a socket; needs a path that is " in causes(long)


def test_disk_that_is_nearly_full_is_named(settings, monkeypatch):
    monkeypatch.setattr(checks_of_files, "LEAST_FREE", 10**12)
    assert f"MB free in {settings.home}; needs 1000000000000 MB" in causes(settings)


def test_version_that_was_not_tested_is_named(settings, monkeypatch):
    monkeypatch.setattr(checks_of_files, "requires", lambda _: ["numpy<2", "no-such-thing>=1"])
    said = list(checks_of_files.versions(settings, Laboratory(prefix="ODMR:")))
    assert said[0].startswith("numpy: 2.") and "needs <2: pip install 'numpy<2'" in said[0]
    assert said[1].startswith("no-such-thing: not installed; needs >=1")


def test_damage_of_the_journal_is_named(settings):
    settings.journal.mkdir(parents=True)
    (settings.journal / "11111111.jsonl").write_text("00000000 nonsense\n")
    (settings.journal / "quarantine").mkdir()
    (settings.journal / "quarantine" / "22222222.jsonl").write_text("")
    said = "\n".join(checks_of_files.journal(settings, Laboratory(prefix="ODMR:")))
    assert "11111111.jsonl" in said and "line 1" in said
    assert "22222222.jsonl is in quarantine" in said


def test_instrument_that_is_served_twice_is_named(settings):
    ports = free_port(), free_port()
    addresses = " ".join(f"127.0.0.1:{port}" for port in ports)
    both = Laboratory(prefix="D:", instruments=addresses)
    with ioc("--prefix", "D:", port=ports[0]):
        assert lookout.instruments_answer(settings, both) == "5 answer, each once"
        second = ioc("magnet", "--prefix", "D:", port=ports[1])
        with second, pytest.raises(lookout.NotYetError) as said:
            lookout.instruments_answer(settings, both)
    assert str(said.value).startswith("instruments: D:Magnet:BootId is served by 127.0.0.1:")
    for port in ports:
        assert f"127.0.0.1:{port}" in str(said.value)


@pytest.mark.parametrize(
    ("word", "value", "says"),
    [
        ("speed", 0.0, "up: speed=0.0; input should be greater than 0"),
        ("instruments", "tcp://a", "up: instruments='tcp://a'; string should match pattern"),
    ],
)
def test_option_that_cannot_be_is_named(word, value, says):
    with pytest.raises(LaboratoryError) as refusal:
        Laboratory.asked(prefix="ODMR:", **{word: value})
    assert str(refusal.value).startswith(says)


def test_damaged_file_of_the_laboratory_is_named(settings):
    (settings.home / "services").mkdir(parents=True)
    (settings.home / "services" / "laboratory.json").write_text("{")
    with pytest.raises(LaboratoryError, match="laboratory.json cannot be read .* needs that file"):
        Laboratory.remembered(settings)


def test_ports_are_remembered_until_new_ones_are_wanted(settings):
    wanted = Laboratory(prefix="ODMR:")
    first = wanted.with_ports(["a", "b"], settings, fresh=False)
    assert len(set(first.ports.values())) == 2
    first.keep(settings)
    assert wanted.with_ports(["a", "b"], settings, fresh=False).ports == first.ports
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first.ports["a"]))
        taken.listen()
        assert holder(first.ports["a"]).startswith(f"process {os.getpid()}")
        anew = wanted.with_ports(["a", "b"], settings, fresh=True)
    assert first.ports["a"] not in anew.ports.values()


@pytest.fixture
def home(short_folder) -> Home:
    return Home(short_folder / "broken")


def bad_sample(home: Path) -> list[object]:
    (home.parent / "bad.toml").write_text("[electron]\ng_factor = 2\n")
    return ["--sample", home.parent / "bad.toml"]


def file_in_place_of_the_catalogue(home: Path) -> list[object]:
    home.mkdir()
    (home / "catalogue").write_text("")
    return []


def plan_that_fails(home: Path) -> list[object]:
    (home.parent / "ophyd.py").write_text("raise ImportError('no plan today')\n")
    return []


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (bad_sample, "bad.toml: "),
        (file_in_place_of_the_catalogue, "catalogue cannot be written (File exists)"),
        (plan_that_fails, "plans: ImportError: no plan today"),
    ],
)
def test_broken_start_fails_with_the_cause_and_leaves_nothing(home, broken, says):
    words = broken(home.folder)
    done = home.up(*words, env={"PYTHONPATH": str(home.folder.parent)})
    assert done.returncode == 2, done.stdout
    assert done.stderr.startswith("odmrlab: ") and says in done.stderr
    assert "ready" not in done.stdout and "Traceback" not in done.stderr
    assert home.processes() == []


def test_start_with_the_port_of_redis_taken_names_who_has_it(home):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        Laboratory(prefix="ODMR:", ports={"redis": port}).keep(Settings(home=home.folder))
        done = home.up()
        assert done.returncode == 2, done.stdout
        assert f"redis: port {port} is taken by process {os.getpid()} (" in done.stderr
        examined = home.run("doctor")
    assert examined.returncode == 1
    assert f"redis: port {port} is taken by process {os.getpid()} (" in examined.stdout
    assert home.processes() == []


def test_start_without_its_instruments_fails_with_the_cause(home):
    done = home.up("--instruments", "127.0.0.1:9")
    assert done.returncode == 2
    assert "instruments: no answer from ODMR:Magnet:BootId" in done.stderr
    assert "127.0.0.1:9" in done.stderr and home.processes() == []


@pytest.mark.parametrize(
    ("word", "says"),
    [("odmrlab.ioc", "ioc: "), ("supervisor.supervisord", "supervisor: has ended")],
)
@pytest.mark.timeout(2 * PATIENCE)
def test_start_in_which_something_is_killed_fails_with_the_cause_and_leaves_nothing(
    home, word, says
):
    """It is hit as soon as the IOC is there, long before everything else is."""

    def found(name):
        return [process for process in home.processes() if name in process.cmdline()]

    def hit() -> None:
        wait_for(lambda: ended.is_set() or found("odmrlab.ioc"), PATIENCE)
        for process in found(word)[:1]:
            process.send_signal(signal.SIGKILL)

    ended, hitting = threading.Event(), threading.Thread(target=hit)
    hitting.start()
    done = home.up()
    ended.set()
    hitting.join()
    assert done.returncode == 2, done.stdout
    assert done.stderr.startswith(f"odmrlab: {says}") and "ready in" not in done.stdout
    assert home.processes() == []


@pytest.mark.timeout(2 * PATIENCE)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_start_that_is_ended_itself_is_no_laboratory(home, number):
    """Told to end, it leaves nothing; killed, it leaves what says that it is not ready."""
    with home.begin("up", "--timeout", PATIENCE) as start:
        wait_for(home.processes, PATIENCE)
        wait_for(lambda: any("odmrlab.ioc" in p.cmdline() for p in home.processes()), PATIENCE)
        start.send_signal(number)
        start.communicate()
    if number == signal.SIGKILL:
        told = home.run("status")
        assert told.returncode == 1 and told.stderr.startswith("not ready: "), told.stderr
        assert home.run("down").returncode == 0
    else:
        assert start.returncode == 128 + number
    assert home.processes() == []


def test_ending_what_is_not_up_is_no_mistake(home):
    done = home.run("down")
    assert (done.returncode, done.stdout) == (0, "was not up\n")


def test_environment_that_fails_again_and_again_is_hopeless_and_says_why(settings):
    log = settings.logs / "services" / "manager.log"
    log.parent.mkdir(parents=True)
    trace = (
        "[E 2026-11-25 worker] Failed to start RE Worker environment. Error while loading:\n"
        'Traceback (most recent call last):\n  File "plans/odmr.py", line 3, in <module>\n'
        "    raise ImportError('no plan today')\nImportError: no plan today\n\n[I] more\n"
    )
    log.write_text(trace)
    began = log.stat().st_size
    assert queued.failed(settings, began) == (0, "")
    log.write_text(3 * trace)
    assert queued.failed(settings, began) == (2, "ImportError: no plan today")
    assert queued.failed(settings, 0)[0] == queued.ATTEMPTS
