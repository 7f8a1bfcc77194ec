"""An IOC of somebody else beside the laboratory."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

from .ports import LOOPBACK

START_TIME, LOOK_PERIOD = 20.0, 0.02  # s


class BesideError(RuntimeError):
    """An IOC that did not start; the text is what it said."""


class Beside:
    """A Python file that serves Channel Access, run on one port of the loopback until it is stopped.

    It is told by the environment variables of EPICS where to listen; caproto, softioc and pcaspy
    obey them. It ends with this process, however that ends.

    Args:
        script: The file.
        arguments: For it.
        port: TCP and UDP.
        log: File for what it says.

    Raises:
        BesideError: When it ends, or does not listen within 20 s.
    """

    def __init__(self, script: Path, arguments: tuple[object, ...], port: int, log: Path):
        listen = {"EPICS_CAS_INTF_ADDR_LIST": LOOPBACK, "EPICS_CAS_AUTO_BEACON_ADDR_LIST": "NO"}
        listen |= dict.fromkeys(("EPICS_CAS_SERVER_PORT", "EPICS_CA_SERVER_PORT"), str(port))
        command = [sys.executable, "-m", "odmrlab.testing.tether", sys.executable, str(script)]
        with log.open("w") as said:
            self._process = subprocess.Popen(  # noqa: S603
                [*command, *map(str, arguments)],
                stdin=subprocess.PIPE,
                stdout=said,
                stderr=said,
                env=os.environ | listen,
                start_new_session=True,
            )
        if not self._listens(port):
            self.stop()
            raise BesideError(f"serve: {script} does not listen; it said: {log.read_text()}")

    def _listens(self, port: int) -> bool:
        deadline = time.monotonic() + START_TIME
        while self._process.poll() is None and time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex((LOOPBACK, port)) == 0:
                    return True
            time.sleep(LOOK_PERIOD)
        return False

    def stop(self) -> None:
        """End it; the tether kills what does not end in order."""
        self._process.terminate()
        self._process.communicate(timeout=START_TIME)
