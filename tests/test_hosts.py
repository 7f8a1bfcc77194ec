"""The magnet on another host: a network namespace with a cable between, which is then cut."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from laboratory import free_port, ioc
from test_wire import command

HERE, THERE = "10.213.77.1", "10.213.77.2"  # of the two ends of the cable alone
HOST, CABLE = f"odmr{os.getpid()}", f"odmr{os.getpid() % 10**6}"
PORT = 5764
PREFIX = "H:"


def ip(*words: str) -> None:
    command_line = ["/usr/bin/env", "ip", *words]
    subprocess.run(command_line, check=True, capture_output=True, text=True)


@pytest.fixture
def cable() -> Iterator[str]:
    """Give the name of our end of a cable to another host."""
    try:
        ip("netns", "add", HOST)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no network namespace can be made here: {error}")
    try:
        ip("link", "add", f"{CABLE}a", "type", "veth", "peer", "name", f"{CABLE}b", "netns", HOST)
        ip("addr", "add", f"{HERE}/30", "dev", f"{CABLE}a")
        ip("link", "set", f"{CABLE}a", "up")
        ip("-n", HOST, "addr", "add", f"{THERE}/30", "dev", f"{CABLE}b")
        ip("-n", HOST, "link", "set", f"{CABLE}b", "up")
        yield f"{CABLE}a"
    finally:
        ip("netns", "del", HOST)  # takes the cable with it


@contextmanager
def on_the_other_host() -> Iterator[None]:
    """Serve the magnet there."""
    words = ["ip", "netns", "exec", HOST, sys.executable, "-m", "odmrlab.ioc", "magnet"]
    words += ["--prefix", PREFIX, "--interface", THERE, "--port", str(PORT), "--speed", "500"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "ready\n"
        yield
    finally:
        process.terminate()
        process.wait(timeout=10)
        process.stdout.close()


def test_reading_needs_the_other_host_and_names_what_is_lost(cable):
    ports = {name: free_port() for name in ("rf", "laser", "cryostat", "lockin")}
    addresses = [f"127.0.0.1:{port}" for port in ports.values()] + [f"{THERE}:{PORT}"]
    env = os.environ | {"EPICS_CA_ADDR_LIST": " ".join(addresses)}
    options = ("--prefix", PREFIX, "--speed", 500, "--seed", 3)
    with ExitStack() as stack:
        stack.enter_context(on_the_other_host())
        for name, port in ports.items():
            stack.enter_context(ioc(name, *options, port=port, env=env))
        for pv, value in (("Rf:Output", "On"), ("Laser:Shutter", "Open"), ("Magnet:Field", 42.5)):
            command("put", "--notify", f"{PREFIX}{pv}", value, env=env)
        shot = ("put", "--notify", "--timeout", 20, f"{PREFIX}Lockin:Shot")
        command(*shot, 1, env=env)
        reading = command("get", "--terse", f"{PREFIX}Lockin:Reading", env=env)
        number, x = map(float, reading.strip(" []\n").split()[:2])
        assert number == 1 and x > 1e-5  # the resonance, at a field that is made over there
        ip("link", "set", cable, "down")
        command(*shot, 2, env=env)
        said = command("get", "--terse", f"{PREFIX}Lockin:Message", env=env)
        letters = bytes(int(word) for word in said.strip(" []\n").split()).decode()
        assert letters.startswith(f"lockin: shot was refused: no answer from {PREFIX}Magnet:")
        assert command("get", "--terse", f"{PREFIX}Lockin:Shot", env=env).split() == ["1"]
