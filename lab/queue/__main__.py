"""``python -m odmrlab.lab.queue GROUP``: the environment in which stock clients speak for a group."""

import shlex
import sys

from ..settings import Settings
from .service import Ports, client_environment, folder


def main(words: list[str]) -> None:
    """Print it for a shell.

    Raises:
        SystemExit: The queue was never started, or there is no such group.
    """
    settings = Settings()
    try:
        (group,) = words
        ports = Ports.remembered(folder(settings))
        environment = client_environment(settings, ports, group)
    except (ValueError, FileNotFoundError) as error:
        sys.exit(f"queue: {error}; needs the name of a group, and a queue that was started once")
    for name, value in environment.items():
        print(f"export {name}={shlex.quote(value)}")


if __name__ == "__main__":
    main(sys.argv[1:])
