"""Run a command that ends with its parent: ``python -m odmrlab.testing.tether COMMAND ...``.

The parent holds the other end of standard input, so even when it is killed the command ends.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence

PATIENCE = 5.0  # s for the command to end in order


def main(command: Sequence[str]) -> int:
    """Run a command until it ends, standard input ends, or SIGTERM comes; returns its status."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    threading.Thread(target=end_with_input, args=(child,), daemon=True).start()
    return child.wait()


def end_with_input(child: subprocess.Popen) -> None:
    """Wait for the end of standard input, then end a process."""
    # not through a buffer, whose lock would be missed when the command ends before
    while os.read(sys.stdin.fileno(), 4096):
        pass
    child.terminate()
    try:
        child.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        child.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
