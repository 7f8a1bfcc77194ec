"""The catalogue over HTTP, for Tiled's own clients and web page; it reads, and never writes.

Runs get into the catalogue through the journal alone. The key is in a file that only its owner
reads; requests are not logged, because a browser shows the key in its first one.
"""

import logging
import sys

import uvicorn
from tiled.access_control.access_policies import DummyAccessPolicy
from tiled.access_control.scopes import PUBLIC_SCOPES
from tiled.server.app import build_app_from_config

from ..record import catalogue
from ..record.profile import configuration
from ..settings import Settings
from .keys import catalogue_key


class ReadOnly(DummyAccessPolicy):
    """Everybody who has the key may read, and nobody may write."""

    async def allowed_scopes(self, *_, **__):
        return PUBLIC_SCOPES


def main() -> None:
    """Serve on the address and port of the command line until a signal ends it."""
    host, port = sys.argv[1:]
    settings = Settings()
    catalogue.create(settings)
    service = configuration(settings) | {
        "authentication": {"single_user_api_key": catalogue_key(settings)},
        "access_control": {
            "access_policy": f"{__package__}.catalogue_server:ReadOnly",
            "args": {},
        },
    }
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(process)d %(message)s")
    app = build_app_from_config(service)
    uvicorn.run(app, host=host, port=int(port), access_log=False, timeout_graceful_shutdown=2)


if __name__ == "__main__":
    main()
