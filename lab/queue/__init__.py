"""Queued plans: Redis, the queue server's manager, and the door and the keeper in front of it."""
