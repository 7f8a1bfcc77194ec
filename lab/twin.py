"""The twin of the laboratory: all five soft IOCs in a process of their own."""

import os
import select
import socket
import subprocess
import sys
from collections.abc import Sequence
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
        port: Where they listen, for a caller who tells the clients; 0 for a free one.
        more: Words of ``odmrlab ioc`` besides, such as ``--faults``.
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
        *,
        port: int = 0,
        more: Sequence[str] = (),
    ):
        self.port = port or free_port()
        if not port:
            self._addresses.append(f"127.0.0.1:{self.port}")
            os.environ["EPICS_CA_AUTO_ADDR_LIST"] = "NO"
            os.environ["EPICS_CA_ADDR_LIST"] = " ".join(self._addresses)
        self._log = writable_folder(logs, "twin") / f"{prefix.strip(':').lower()}-ioc.log"
        self._command = [sys.executable, "-m", "odmrlab.ioc", "--tethered"]
        self._command += ["--prefix", prefix, "--port", str(self.port), "--speed", str(speed)]
        self._command += ["--sample", str(sample)] if sample else []
        self._command += ["--seed", str(seed)] if seed is not None else []
        self._command += ["--sealed"] if sealed else []
        self._command += more
        self._process: subprocess.Popen | None = None

    def __enter__(self) -> Self:
        """Start the IOCs; they answer when the block begins.

        Raises:
            TwinError: When they refuse to start.
        """
        self.start()
        self.wait_until_ready()
        return self

    def __exit__(self, *_) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Of the process, while it runs and after."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the process; it does not answer yet."""
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

    def wait_until_ready(self) -> None:
        """Wait until the IOCs answer.

        Raises:
            TwinError: When they refuse to start.
        """
        readable, _, _ = select.select([self._process.stdout], [], [], START_TIME)
        if not readable or self._process.stdout.readline() != "ready\n":
            self.kill()
            raise TwinError(self._log.read_text().strip() or f"twin: silent for {START_TIME:g} s")

    def stop(self) -> None:
        """End the process in order; at once, if it does not within 20 s."""
        self._process.terminate()
        try:
            self._process.communicate(timeout=START_TIME)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._process.communicate()
