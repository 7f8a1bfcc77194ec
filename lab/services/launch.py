"""Becomes a service: ``python -m odmrlab.lab.services.launch NAME``, in the folder of the services.

The supervisor starts this, so its configuration holds no path and no option of ours. Linux ends a
service whose supervisor was killed; others end when their standard input does.
"""

import ctypes
import json
import os
import signal
import sys
from pathlib import Path

COMMANDS = "commands.json"
PR_SET_PDEATHSIG = 1  # of Linux


def main() -> None:
    """Replace this process by the service."""
    (name,) = sys.argv[1:]
    service = json.loads(Path(COMMANDS).read_text())[name]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    command = service["command"]
    os.execvpe(command[0], command, os.environ | service["environment"])  # noqa: S606


if __name__ == "__main__":
    main()
