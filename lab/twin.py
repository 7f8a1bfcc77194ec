"""The twin of the laboratory: all five soft IOCs in a process of their own."""

import os
import select
import socket
import subprocess
import sys
from pathlib import Path
from typing import ClassVar, Self

from .settings import writable_folder

START_TIME = 20.0  # s, on a machine that is busy


class TwinError(RuntimeError):
    """The IOCs did not start; the text is what they said."""


def free_port() -> int:
    """Return a TCP port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Twin:
    """Five IOCs around one simulated sample, from the start of a block to its end.

    They listen on the loopback address alone, and end with this process, however it ends. Channel
    Access clients of this process are told where they are as soon as the object is made, because
    they read that once, when they are first imported.

    Args:
        prefix: Of every PV.
        logs: Folder where they tell what happens to them.
        speed: Laboratory seconds per second.
        sample: TOML file; None for sample #1 of the paper.
        seed: Of the noise; None draws one.
        sealed: Whether to keep the truth about the sample hidden.
    """

    _addresses: ClassVar[list[str]] = []  # of every twin of this process

    def __init__(
        self,
        prefix: str,
        logs: Path,
        speed: float = 1.0,
        sample: Path | None = None,
        seed: int | None = None,
        sealed: bool = False,
    ):
        self.port = free_port()
        self._addresses.append(f"127.0.0.1:{self.port}")
        os.environ["EPICS_CA_AUTO_ADDR_LIST"] = "NO"
        os.environ["EPICS_CA_ADDR_LIST"] = " ".join(self._addresses)
        self._log = writable_folder(logs, "twin") / f"{prefix.strip(':').lower()}-ioc.log"
        self._command = [sys.executable, "-m", "odmrlab.ioc", "--tethered"]
        self._command += ["--prefix", prefix, "--port", str(self.port), "--speed", str(speed)]
        self._command += ["--sample", str(sample)] if sample else []
        self._command += ["--seed", str(seed)] if seed is not None else []
        self._command += ["--sealed"] if sealed else []
        self._process: subprocess.Popen | None = None

    def __enter__(self) -> Self:
        """Start the IOCs; they answer when the block begins.

        Raises:
            TwinError: When they refuse to start.
        """
        environment = os.environ | {"EPICS_CAS_AUTO_BEACON_ADDR_LIST": "NO"}
        with self._log.open("w") as log:
            self._process = subprocess.Popen(  # noqa: S603
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=environment,
                start_new_session=True,  # Ctrl-C is for the plan, not for the instruments
            )
        readable, _, _ = select.select([self._process.stdout], [], [], START_TIME)
        if not readable or self._process.stdout.readline() != "ready\n":
            self._process.kill()
            self._process.communicate()
            raise TwinError(self._log.read_text().strip() or f"twin: silent for {START_TIME:g} s")
        return self

    def __exit__(self, *_) -> None:
        self._process.terminate()
        self._process.communicate(timeout=START_TIME)
