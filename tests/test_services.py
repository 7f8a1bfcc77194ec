"""One laboratory is started for all these tests, seen by every client, hurt, and ended."""

import os
import re
import signal
import stat
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import psutil
import pytest
from services import PATIENCE, Home
from test_journal import wait_for
from test_services_pages import blocks
from tiled.client import from_uri

from odmrlab.lab.services.laboratory import Laboratory
from odmrlab.lab.services.launch import COMMANDS
from odmrlab.lab.settings import Settings

pytestmark = pytest.mark.timeout(2 * PATIENCE)

NAMES = ("catalogue", "door", "http", "ioc", "manager", "redis", "shipper")

DATABROKER = """\
from databroker import catalog
print(catalog["first"][-1].primary.read()["lockin_x"].values.tolist())
"""


@pytest.fixture(scope="module")
def home():
    with TemporaryDirectory(prefix="odmrlab-") as folder:
        home = Home(Path(folder) / "first")
        home.began = home.up("--http", "--speed", 500)
        yield home
        home.run("down")


@pytest.fixture(scope="module")
def laboratory(home) -> Laboratory:
    return Laboratory.remembered(Settings(home=home.folder))


@pytest.fixture(scope="module")
def key(home) -> str:
    return (home.folder / "keys" / "catalogue").read_text()


def test_up_is_ready_when_a_point_was_read_back(home):
    assert home.began.returncode == 0, home.began.stderr
    assert re.search(r"one point\s+measured and read back: \S+ V\nready in ", home.began.stdout)
    assert "Traceback" not in home.began.stdout + home.began.stderr


def test_status_fits_the_terminal_and_tells_all(home):
    done = home.run("status")
    assert done.returncode == 0, done.stderr
    head, *rows = done.stdout.splitlines()
    assert head.split()[:5] == ["service", "state", "since", "pid", "address"]
    assert all(len(row) <= 100 for row in rows)
    firsts = [row.split() for row in rows if not row.startswith("    ")]
    assert {first[0]: first[1] for first in firsts} == dict.fromkeys(NAMES, "running")


def test_started_twice_it_says_so(home):
    before = home.pids()
    again = home.up()
    assert (again.returncode, "already up" in again.stdout) == (0, True)
    assert home.pids() == before


def test_doctor_finds_all_well(home):
    done = home.run("doctor")
    assert done.returncode == 0, done.stdout
    assert "WRONG" not in done.stdout and done.stdout.endswith("all is well\n")


def test_doctor_names_a_wrong_address_list(home):
    done = home.run("doctor", env={"EPICS_CA_ADDR_LIST": "127.0.0.1:9"})
    assert done.returncode == 1
    assert "EPICS_CA_ADDR_LIST: '127.0.0.1:9' in this shell; needs" in done.stdout


def test_everything_listens_on_the_loopback_address_alone(home):
    listening = {
        connection.laddr.ip
        for process in home.processes()
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
        or (connection.type.name == "SOCK_DGRAM" and connection.laddr.port < 32000)
    }
    assert listening == {"127.0.0.1"}


def test_caproto_and_databroker_see_it(home):
    exports = os.environ | home.exports()
    get = [sys.executable, "-m", "caproto.commandline.get", "--terse", "--no-repeater"]
    get += ["ODMR:Magnet:Field"]
    said = subprocess.run(get, env=exports, capture_output=True, text=True, check=True).stdout
    assert float(said.split()[0]) == 0.0
    asked = [sys.executable, "-c", DATABROKER]
    exports |= home.env
    said = subprocess.run(asked, env=exports, capture_output=True, text=True, check=True).stdout
    assert float(said.splitlines()[-1].strip("[]")) == pytest.approx(0.0, abs=1e-3)


def test_tiled_client_reads_and_cannot_write(laboratory, key):
    client = from_uri(f"{laboratory.web}/api/v1", api_key=key)
    assert client.values().first().metadata["start"]["purpose"].startswith("proof")
    run = client.values().first()
    headers = {"Authorization": f"Apikey {key}"}
    where = f"{laboratory.web}/api/v1/metadata/{run.metadata['start']['uid']}"
    assert httpx.delete(where, headers=headers).status_code == 403
    new = {"structure_family": "container", "metadata": {}, "data_sources": [], "specs": []}
    refused = httpx.post(f"{laboratory.web}/api/v1/metadata/", headers=headers, json=new)
    assert refused.is_client_error and list(client) == [run.metadata["start"]["uid"]]
    client.context.close()


def test_web_page_opens_with_the_key_and_data_without_it_stay_closed(home, laboratory, key):
    address = home.run("status", "--web").stdout.strip()
    assert address.endswith(key)
    with httpx.Client(follow_redirects=True) as browser:
        assert "<title>" in browser.get(address).text
        assert browser.get(f"{laboratory.web}/api/v1/search/").status_code == 200
    for wrong in ({}, {"Authorization": "Apikey 00"}):
        answer = httpx.get(f"{laboratory.web}/api/v1/search/", headers=wrong)
        assert answer.status_code == 401


def test_secrets_are_in_private_files_alone(home, key):
    """Neither in a log, nor where ps shows them, nor in the environment of a process."""
    keys = [key, *(path.read_text() for path in (home.folder / "queue" / "keys").iterdir())]
    keys.append((home.folder / "queue" / "redis" / "password").read_text())
    for process in home.processes():
        shown = " ".join([*process.cmdline(), *process.environ().values()])
        assert not [value for value in keys if value in shown], process.cmdline()
    secrets = [home.folder / "keys", home.folder / "queue"]
    for path in home.folder.rglob("*"):
        if path.is_file() and not any(place in path.parents for place in secrets):
            text = path.read_bytes()
            assert not [value for value in keys if value.encode() in text], path
    private = [path for path in home.folder.rglob("*") if path.parent.name == "keys"]
    private.append(home.folder / "queue" / "redis" / "password")
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in private)


def test_queue_is_served_over_http_with_the_key(home, laboratory):
    address = f"http://127.0.0.1:{laboratory.ports['http']}/api/plans/allowed"
    key = (home.folder / "queue" / "keys" / "http.token").read_text()
    answer = httpx.get(address, headers={"Authorization": f"ApiKey {key}"}, timeout=PATIENCE)
    assert "odmr" in answer.json()["plans_allowed"]
    assert httpx.get(address, timeout=PATIENCE).status_code == 401


def test_stock_client_of_the_queue_sees_it(home):
    lines = home.run("status", "--env", "--group", "observer").stdout
    command = f"{lines}\n{os.path.dirname(sys.executable)}/qserver status"
    said = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=True)
    assert "'manager_state': 'idle'" in said.stdout
    refused = home.run("status", "--env", "--group", "root")
    assert refused.returncode == 2 and "needs a queue, and one of: observer" in refused.stderr


def test_a_shell_beside_the_queue_is_told_who_has_the_instruments(home):
    done = home.run("shell", "--connect", input="exit\n")
    assert done.returncode == 2 and "magnet: owned by" in done.stderr
    assert "'odmrlab up --no-queue' leaves them to a shell" in done.stderr


def test_services_that_are_killed_are_started_again_and_work(home):
    before = home.pids()
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: all(home.pids()[name] not in (0, before[name]) for name in NAMES), PATIENCE)
    wait_for(lambda: home.run("doctor").returncode == 0, PATIENCE)


def test_second_laboratory_runs_beside_the_first(home):
    second = Home(home.folder.parent / "beside")
    first = home.pids()
    try:
        done = second.up("--no-queue", "--separate")
        assert done.returncode == 0, done.stderr
        assert len(second.pids()) == 7
        addresses = second.exports()["EPICS_CA_ADDR_LIST"].split()
        assert len(addresses) == 5 and not set(addresses) & set(
            home.exports()["EPICS_CA_ADDR_LIST"].split()
        )
        # a shell that was told no address finds the instruments
        shell = second.run("shell", "--connect", input="magnet.boot_id.get(), 6 * 7\nexit\n")
        assert addresses[0] in shell.stdout and ", 42)" in shell.stdout, shell.stderr
    finally:
        second.run("down")
    assert second.processes() == []
    assert home.pids() == first


def test_commands_of_the_page_do_what_it_says(home, root):
    path = f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}"
    for command in blocks(root, "services.md", "sh"):
        if command != "odmrlab down\n":
            environment = {k: v for k, v in os.environ.items() if not k.startswith("EPICS_CA_")}
            environment |= home.env | {"PATH": path}
            words = ["/bin/sh", "-ec", command]
            done = subprocess.run(
                words, env=environment, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, command + done.stdout + done.stderr
    (code,) = blocks(root, "services.md", "python")
    code += "print(len(runs))"
    words = [sys.executable, "-c", code]
    done = subprocess.run(
        words, env=os.environ | home.env, capture_output=True, text=True, check=False
    )
    assert int(done.stdout) > 0, done.stderr


def test_down_leaves_nothing(home, laboratory):
    assert home.processes()
    done = home.run("down")
    assert done.returncode == 0 and done.stdout.startswith("down in "), done.stdout + done.stderr
    assert home.processes() == []
    left = [path for path in home.folder.rglob("*") if path.is_socket() or path.suffix == ".pid"]
    assert left == []
    assert not (home.folder / "services" / COMMANDS).exists()
    assert home.run("status").returncode == 2
    # and the next start finds the same ports
    assert Laboratory.remembered(Settings(home=home.folder)).ports == laboratory.ports
