"""The pages about services say what works."""

import configparser
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from laboratory import free_port
from test_cli import COMMAND

from odmrlab.lab.services.laboratory import Laboratory
from odmrlab.lab.services.search import search

PAGES = ("services.md", "several-hosts.md")


def blocks(root: Path, page: str, language: str) -> list[str]:
    """Return the code blocks of a language in a how-to page."""
    text = (root / "docs" / "how-to" / page).read_text()
    found = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [code for kind, code in found if kind == language]


def unit_of(root: Path, page: str) -> configparser.ConfigParser:
    """Return the systemd unit in a page."""
    (text,) = blocks(root, page, "ini")
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str
    unit.read_string(text)
    return unit


@pytest.mark.parametrize("page", PAGES)
def test_commands_of_a_unit_have_these_options(root, page):
    for word in ("ExecStart", "ExecStop"):
        command = unit_of(root, page)["Service"].get(word)
        if command is None:
            continue
        program, verb, *words = shlex.split(command)
        assert Path(program).name == "odmrlab"
        asked = [*COMMAND, verb, "--help"]
        offered = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
        assert [word for word in words if word.startswith("--") and word not in offered] == []


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="this machine has no systemd")
@pytest.mark.parametrize("page", PAGES)
def test_unit_is_one(root, page, tmp_path):
    (text,) = blocks(root, page, "ini")
    unit = tmp_path / "odmrlab@.service"
    unit.write_text(re.sub(r"^(Exec\w+)=\S+", rf"\1={sys.executable}", text, flags=re.MULTILINE))
    user = ["--user"] if page == "services.md" else []
    verify = ["systemd-analyze", "verify", "--man=no", *user, str(unit)]
    environment = os.environ | {"XDG_RUNTIME_DIR": str(tmp_path)}
    done = subprocess.run(verify, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_unit_of_an_instrument_serves_it_on_the_address_of_its_host(root):
    """With the words of the unit and of its file, but for an address that this host has."""
    (file, _) = blocks(root, "several-hosts.md", "sh")
    told = dict(line.split("=", 1) for line in file.splitlines())
    told |= {"INTERFACE": "127.0.0.2", "PORT": str(free_port())}
    words = unit_of(root, "several-hosts.md")["Service"]["ExecStart"].replace("%i", "magnet")
    filled = re.sub(r"\$\{(\w+)\}", lambda match: told[match[1]], words)
    server = subprocess.Popen(
        [*COMMAND, *shlex.split(filled)[1:]], stdout=subprocess.PIPE, text=True, env=os.environ
    )
    try:
        assert server.stdout.readline() == "ready\n"
        address = f"127.0.0.2:{told['PORT']}"
        name = f"{told['PREFIX']}Magnet:BootId"
        assert search([name], address, 10) == {name: {address}}
    finally:
        server.terminate()
        server.communicate(timeout=20)


def test_addresses_of_the_page_are_taken(root):
    (command,) = [text for text in blocks(root, "several-hosts.md", "") if "odmrlab up" in text]
    _, _, option, addresses = shlex.split(command)
    assert option == "--instruments"
    laboratory = Laboratory(prefix="ODMR:", instruments=addresses)
    assert laboratory.addresses.count(":") == 5
