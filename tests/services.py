"""A laboratory whose services run, started and ended by the commands that people use."""

import os
import subprocess
from pathlib import Path

import psutil
from test_cli import COMMAND

from odmrlab.lab.services.supervisor import MARK, states
from odmrlab.lab.settings import Settings

PATIENCE = 600  # s; a machine may have ten times as much to do


class Home:
    """One laboratory: a folder, and the commands in it.

    Its names in Tiled's profiles are its own.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.env = {"ODMRLAB_HOME": str(folder), "TILED_PROFILES": str(folder.parent / "profiles")}
        self.env |= {"COLUMNS": "100", "ODMRLAB_CATALOGUE_PROFILE": folder.name}

    def begin(self, *words: object, env: dict[str, str] | None = None) -> subprocess.Popen:
        """Start a command of odmrlab; as a user's shell, it knows no addresses."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith("EPICS_CA_")}
        return subprocess.Popen(
            [*COMMAND, *map(str, words)],
            env=clean | self.env | (env or {}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: object, env: dict[str, str] | None = None, input: str = ""):
        """Run a command of odmrlab to its end."""
        with self.begin(*words, env=env) as process:
            out, err = process.communicate(input, timeout=PATIENCE + 60)
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def up(self, *words: object, env: dict[str, str] | None = None):
        """Start it."""
        return self.run("up", "--timeout", PATIENCE, *words, env=env)

    def pids(self) -> dict[str, int]:
        """Return the processes of the services, 0 for one that does not run."""
        return {state.name: state.pid for state in states(Settings(home=self.folder))}

    def processes(self) -> list[psutil.Process]:
        """Return all that was started in its name."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get(MARK) == str(self.folder):
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def exports(self) -> dict[str, str]:
        """Return the environment that a shell gets by eval."""
        lines = self.run("status", "--env").stdout
        told = subprocess.run(
            ["/bin/sh", "-c", f"{lines}\n/usr/bin/env -0"],
            capture_output=True,
            text=True,
            check=True,
            env={},
        )
        return dict(pair.split("=", 1) for pair in told.stdout.split("\0") if "=" in pair)
