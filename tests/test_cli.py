"""The command ``odmrlab``: one sentence and exit status 2 for a person's mistake."""

import os
import signal
import subprocess
import sys
import time

import pytest

COMMAND = [sys.executable, "-c", "from odmrlab.lab.cli import main; main()"]


def odmrlab(*words: object, home, **more) -> subprocess.CompletedProcess:
    env = os.environ | {"ODMRLAB_HOME": str(home), "TILED_PROFILES": str(home / "profiles")}
    env |= {"COLUMNS": "200"} | more.pop("env", {})
    command = [*COMMAND, *map(str, words)]
    return subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=380, env=env, **more
    )


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("reproduce", "--only", "fig9"), "unknown figure fig9; needs names from: fig1a, fig1b"),
        (("reproduce", "--sample", "no.toml"), "no.toml: No such file or directory; needs"),
        (("reproduce", "--speed", "0"), "speed=0.0; needs a finite number > 0"),
        (("reproduce", "--seed", "x"), "Invalid value for '--seed'"),
        (("ioc", "squid"), "unknown instrument squid"),
        (("measure",), "No such command 'measure'"),
    ],
)
def test_mistake_gets_one_sentence(tmp_path, words, says):
    done = odmrlab(*words, home=tmp_path, cwd=tmp_path)
    assert done.returncode == 2
    assert says in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.stderr


def test_unknown_control_layer_is_refused(tmp_path):
    done = odmrlab("reproduce", home=tmp_path, env={"OPHYD_CONTROL_LAYER": "tango"})
    assert done.returncode == 2
    assert "OPHYD_CONTROL_LAYER=tango; needs caproto or pyepics" in done.stderr


def test_unwritable_folders_are_refused_before_anything_starts(tmp_path):
    (tmp_path / "file").write_text("")
    done = odmrlab("reproduce", "--out", tmp_path / "file" / "out", home=tmp_path)
    assert done.returncode == 2 and "file/out cannot be written" in done.stderr
    done = odmrlab("reproduce", "--out", tmp_path / "out", home=tmp_path / "file" / "home")
    assert done.returncode == 2 and "file/home cannot be written" in done.stderr
    assert "Traceback" not in done.stderr


def test_silent_pvs_are_named_within_five_seconds(tmp_path):
    env = {"EPICS_CA_ADDR_LIST": "127.0.0.1:9", "EPICS_CA_AUTO_ADDR_LIST": "NO"}
    began = time.monotonic()
    done = odmrlab("shell", "--connect", home=tmp_path, env=env, input="exit\n")
    assert done.returncode == 2
    assert "no answer from ODMR:Magnet:BootId" in done.stderr
    assert "127.0.0.1:9" in done.stderr and "Traceback" not in done.stderr
    assert time.monotonic() - began < 15  # imports and 4 s of waiting


SESSION = """\
RE(bps.mv(rf.output, "On", laser.shutter, "Open"))
RE(odmr(lockin, magnet, 15, 70, 23))
RE(odmr(lockin, magnet, 0, 900))
[run.metadata["start"]["technique"] for run in catalog().values()]
exit
"""


def test_shell_measures_fits_refuses_and_keeps(tmp_path):
    done = odmrlab("shell", "--speed", 500, "--seed", 1, home=tmp_path, input=SESSION)
    assert done.returncode == 0, done.stderr
    assert "magnet_field_readback" in done.stdout and "fit odmr" in done.stdout
    assert "field = 42." in done.stdout and "width = 9." in done.stdout
    assert "LimitError: magnet_field: asked for 900.0 [mT]" in done.stdout + done.stderr
    assert "['odmr', 'fit']" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_nothing_is_left_when_the_session_is_killed(tmp_path):
    env = os.environ | {"ODMRLAB_HOME": str(tmp_path), "TILED_PROFILES": str(tmp_path)}
    env |= {"PYTHONUNBUFFERED": "1"}
    shell = subprocess.Popen(
        [*COMMAND, "shell", "--speed", "500"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=env,
    )
    while "catalog()[-1]" not in shell.stdout.readline():
        pass
    assert processes_below(shell.pid)
    children = processes_below(shell.pid)
    shell.send_signal(signal.SIGKILL)
    shell.communicate()
    deadline = time.monotonic() + 20
    while any(os.path.exists(f"/proc/{pid}") for pid in children):
        assert time.monotonic() < deadline, children
        time.sleep(0.05)


def processes_below(parent: int) -> list[int]:
    """Return the children of a process."""
    children = f"/proc/{parent}/task/{parent}/children"
    with open(children) as file:
        return [int(pid) for pid in file.read().split()]
