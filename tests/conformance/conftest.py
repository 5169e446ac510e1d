"""One server for all suites, and a Region of its own for every test: nothing is shared by accident."""

import itertools
import pathlib

import pytest

import shapes

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


def pytest_sessionfinish(session):
    """After a run of everything: each operation that is served has answered a client of ours once."""
    files = {it.name for it in pathlib.Path(__file__).parent.glob("test_*.py")}
    run = {it.path.name for it in session.items}
    unseen = sorted(shapes.served - shapes.answered) if files <= run else []
    if unseen and session.exitstatus == pytest.ExitCode.OK:
        print(f"\nno client was answered by: {unseen}")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
