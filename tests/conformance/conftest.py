"""One server for all suites, and a Region of its own for every test: nothing is shared by accident."""

import itertools

import pytest

from strongroom import Server

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("strongroom"))
    try:
        yield running.start()
        assert running.process.poll() is None, "the server died during the tests"
    finally:
        running.stop()


@pytest.fixture(scope="session")
def stranger(server):
    """The admin key of a second account."""
    return server.new_account()


@pytest.fixture
def region():
    """A Region that no other test uses, so that names are free in it."""
    return f"us-test-{next(_numbers)}"


@pytest.fixture
def wire(server, region):
    return server.wire(region)
