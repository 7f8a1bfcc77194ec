"""One point for a laboratory without a queue: ``python -m odmrlab.lab.services.proof``.

In a process of its own, because Channel Access asks once where to look. Nothing is set, so the
bench stays as it is. Prints the uid of the run, or why there is none.
"""

import sys

from ...devices import NotConnectedError, OwnedError
from ...plans import one_point
from ..session import Session, connect
from ..settings import Settings
from .laboratory import PURPOSE


def main() -> int:
    """Measure one point; returns the exit status."""
    settings = Settings()
    try:
        session = Session(
            settings, connect(settings.prefix), interlocks=(), md={"purpose": PURPOSE}
        )
        try:
            print(*session.RE(one_point(session.instruments.lockin)).run_start_uids)
        finally:
            session.close()
    except (NotConnectedError, OwnedError, OSError) as error:
        print(error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
