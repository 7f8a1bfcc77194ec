"""The pytest plugin: fixtures of a laboratory, for other people's plans and devices.

pytest loads this file in every run, so it imports nothing that takes time, and touches nothing
before a test asks for a fixture.
"""

from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from bluesky import RunEngine

    from ..ioc.physics import Sample
    from .faults import Faults
    from .laboratory import Laboratory
    from .ports import Ports

SCOPE = "odmr_lab_scope"
MARKER = "odmr_lab(speed, seed, sample, bench, scenario, patience): what the laboratory is like"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer the setting ``odmr_lab_scope``."""
    parser.addini(
        SCOPE, "tests that share a laboratory: function, module, session", default="function"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", MARKER)


def scope(fixture_name: str, config: pytest.Config) -> Any:
    """Return for how long a laboratory stands."""
    return config.getini(SCOPE)


@pytest.fixture(scope="session")
def odmr_ports() -> Iterator["Ports"]:
    """Give the ports of this test process."""
    from .ports import Ports

    ports = Ports()
    yield ports
    ports.close()


@pytest.fixture(scope=scope)
def odmr_lab(
    request: pytest.FixtureRequest, odmr_ports: "Ports", tmp_path_factory: pytest.TempPathFactory
) -> Iterator["Laboratory"]:
    """Give five connected instruments around a simulated sample, fresh for every test.

    ``odmr_lab.magnet``, ``.rf``, ``.laser``, ``.cryostat`` and ``.lockin`` are ophyd devices.
    """
    from .laboratory import Laboratory, Wishes

    mark = request.node.get_closest_marker("odmr_lab")
    wishes = Wishes(**(mark.kwargs if mark else {}))
    with Laboratory(tmp_path_factory.mktemp("odmr_lab"), odmr_ports, wishes) as laboratory:
        yield laboratory


@pytest.fixture(scope=scope)
def RE(odmr_lab: "Laboratory") -> "RunEngine":
    """Give the RunEngine of a session: journal, interlocks and fits as in the laboratory."""
    return odmr_lab.session.RE


@pytest.fixture(scope=scope)
def truth(odmr_lab: "Laboratory") -> "Sample":
    """Give the sample behind the instruments, which a measurement is to find."""
    return odmr_lab.truth


@pytest.fixture(scope=scope)
def faults(odmr_lab: "Laboratory") -> "Faults":
    """Give what makes instruments fail."""
    return odmr_lab.faults


@pytest.fixture(scope=scope)
def queue(odmr_lab: "Laboratory") -> Any:
    """Give the stock client of a queue in a real manager, whose worker is at the instruments."""
    if find_spec("odmrlab.lab.queue") is None:
        pytest.skip("queue: this odmrlab has none; needs a later one")
    if find_spec("bluesky_queueserver_api") is None:
        pytest.skip("queue: no client is installed; needs pip install bluesky-queueserver-api")
    return odmr_lab.queue.client()


@pytest.fixture(scope=scope)
def catalog(odmr_lab: "Laboratory") -> Iterator[Any]:
    """Give the catalogue, in which every run and its fits are when it is asked."""
    from ..lab.record import catalogue
    from ..lab.record.shipment import carrying
    from .current import Current

    with carrying(odmr_lab.settings) as carry:

        def bring() -> None:
            odmr_lab.session.road.drain()  # the fit as well
            carry()

        client = catalogue.connect(odmr_lab.settings)
        yield Current(client, bring)
        client.context.close()
