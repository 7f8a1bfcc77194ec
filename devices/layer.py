"""The Channel Access client beneath ophyd: caproto unless OPHYD_CONTROL_LAYER names another."""

import os

# Read once, when either client is imported: a hung or restarted IOC is noticed within seconds.
os.environ.setdefault("OPHYD_CONTROL_LAYER", "caproto")
os.environ.setdefault("EPICS_CA_CONN_TMO", "2")
os.environ.setdefault("CAPROTO_RESPONSIVENESS_TIMEOUT_SEC", "1")
os.environ.setdefault("CAPROTO_CLIENT_MAX_RETRY_SEARCHES_INTERVAL_SEC", "0.5")

import ophyd

NAME = os.environ["OPHYD_CONTROL_LAYER"].lower()
if getattr(ophyd.get_cl(), "name", None) != NAME:
    ophyd.set_cl(NAME)
if NAME == "caproto":
    # a program that has imported ophyd before us may have it loaded already, with its own numbers
    from caproto.client import common
    from caproto.threading import client

    common.MAX_RETRY_SEARCHES_INTERVAL = float(
        os.environ["CAPROTO_CLIENT_MAX_RETRY_SEARCHES_INTERVAL_SEC"]
    )
    client.RESPONSIVENESS_TIMEOUT = float(os.environ["CAPROTO_RESPONSIVENESS_TIMEOUT_SEC"])
# ophyd waits at the end of the process for a thread that looks at its queues, for debugging, and
# sleeps between
ophyd.get_cl().get_dispatcher().debug_monitor_interval = 0.1  # s
