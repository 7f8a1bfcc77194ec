"""``python -m odmrlab.lab.queue.cells CELL ...``: queue cells of the paper's campaign, as an operator."""

import getpass
import sys
import time

from bluesky_queueserver.manager.comms import ZMQCommSendThreads

from ..campaign.queued import items_of
from ..settings import Settings
from .service import Ports, client_environment, folder

PATIENCE = 60_000  # ms for a cell, whose items are tried out one by one


def main(words: list[str]) -> None:
    """Queue cells and all that they need, each whole or not at all.

    Raises:
        SystemExit: On a cell that is none, or one that the queue refuses.
    """
    settings = Settings()
    operator = client_environment(settings, Ports.remembered(folder(settings)), "operator")
    door = ZMQCommSendThreads(
        zmq_server_address=operator["QSERVER_ZMQ_CONTROL_ADDRESS"],
        server_public_key=operator["QSERVER_ZMQ_PUBLIC_KEY"],
        timeout_recv=PATIENCE,
    )
    who = {"user": getpass.getuser(), "user_group": "operator"}
    try:
        for cell, items in items_of(words, f"queued {time.strftime('%Y-%m-%d %H:%M')}").items():
            reply = door.send_message(method="queue_item_add_batch", params={"items": items} | who)
            if not reply["success"]:
                sys.exit(f"{cell}: {reply['msg']}")
            minutes = reply["estimate"]["seconds"] / 60
            print(f"{cell}: {len(items)} items, about {minutes:.0f} min of the laboratory's clock")
    except ValueError as error:
        sys.exit(str(error))
    finally:
        door.close()


if __name__ == "__main__":
    main(sys.argv[1:])
