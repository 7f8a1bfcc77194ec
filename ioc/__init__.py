"""The instruments as servers: their PVs, and how they behave in time."""

import os

# Updates that wait for one slow client; caproto keeps 1000 of each PV and client, 100 s of LiveX,
# and reads this when it is first imported.
os.environ.setdefault("CAPROTO_MAX_SUBSCRIPTION_BACKLOG", "50")
