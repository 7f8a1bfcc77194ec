"""The queue over HTTP: the stock bluesky-httpserver in front of the door, for operators.

The token is in a file that only its owner reads, like the keys of the queue; requests are not
logged, because they may show it.
"""

import os
import sys

import uvicorn

from ..queue.keys import hide
from ..queue.service import http_environment
from ..settings import Settings
from .laboratory import Laboratory
from .service import queue_ports


def main() -> None:
    """Serve on the address and port of the command line until a signal ends it."""
    host, port = sys.argv[1:]
    settings = Settings()
    laboratory = Laboratory.remembered(settings)
    # into this process alone: what others can see of an environment is that of its start
    environment = http_environment(settings, queue_ports(laboratory))
    os.environ |= environment
    hide(environment["QSERVER_HTTP_SERVER_SINGLE_USER_API_KEY"])
    from bluesky_httpserver.server import app_factory  # reads the environment

    uvicorn.run(
        app_factory(), host=host, port=int(port), access_log=False, timeout_graceful_shutdown=2
    )


if __name__ == "__main__":
    main()
