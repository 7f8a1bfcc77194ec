"""What each user group may ask of the queue, and what nobody may."""

from .keys import GROUPS

LOOK = {
    "config_get",
    "devices_allowed",
    "devices_existing",
    "history_get",
    "lock_info",
    "permissions_get",
    "ping",
    "plans_allowed",
    "plans_existing",
    "queue_get",
    "queue_item_get",
    "re_metadata",
    "re_runs",
    "status",
    "task_result",
    "task_status",
}
STOP = {
    "queue_stop",
    "re_abort",
    "re_halt",
    "re_pause",
    "re_stop",
}  # by no lock kept from operators
ADD = {"queue_item_add", "queue_item_add_batch", "queue_item_execute", "queue_item_update"}
WORK = {
    "environment_close",
    "environment_open",
    "lock",
    "queue_autostart",
    "queue_clear",
    "queue_item_move",
    "queue_item_move_batch",
    "queue_item_remove",
    "queue_item_remove_batch",
    "queue_mode_set",
    "queue_start",
    "queue_stop_cancel",
    "re_resume",
    "unlock",
}
MEND = {"environment_destroy", "environment_update", "history_clear", "permissions_reload"}
MAY = dict(
    zip(GROUPS, (LOOK, LOOK | STOP | ADD | WORK, LOOK | STOP | ADD | WORK | MEND), strict=True)
)
UNSAID = "primary"  # group that stock clients claim unless they are told another one


class NotAllowedError(ValueError):
    """A request that its user group may not make."""


def check_right(group: str, method: str, claimed: object) -> None:
    """Raise unless a user group may make a request.

    Args:
        group: To which the address belongs, over which the request came.
        method: Of the request.
        claimed: Group that the request claims, None when it claims none.

    Raises:
        NotAllowedError: With who may, or that nobody may.
    """
    if claimed not in (None, UNSAID, group):
        came = f"queue: user_group={claimed!r} came over the address of group {group}"
        raise NotAllowedError(f"{came}; needs the address and the key of that group")
    if method not in MAY[group]:
        allowed = [name for name in GROUPS if method in MAY[name]]
        needs = f"needs group {' or '.join(allowed)}" if allowed else "nobody may, over this door"
        raise NotAllowedError(f"queue: {method} of group {group}; {needs}")
