"""That a private database server is one: it asks for passwords, and keeps what it was told."""

import pytest

from authority import Authority
from databases import Postgres


@pytest.fixture(scope="module")
def postgres(tmp_path_factory):
    server = Postgres(Authority(tmp_path_factory.mktemp("authority") / "ca"))
    try:
        yield server.start()
    finally:
        server.stop()


def test_a_server_asks_for_passwords(postgres):
    postgres.sql("CREATE ROLE app LOGIN PASSWORD 'first'")
    assert postgres.accepts("app", "first")
    assert not postgres.accepts("app", "second")
    assert not postgres.accepts("app", "first", "CREATE ROLE other")
    assert postgres.accepts("postgres", postgres.password)
    assert postgres.sql("SHOW ssl") == "on"


def test_a_server_comes_back_as_it_was(postgres):
    postgres.sql("CREATE TABLE kept ()")
    postgres.crash()
    assert not postgres.accepts("postgres", postgres.password)
    postgres.start()
    assert postgres.sql("SELECT count(*) FROM kept") == "0"
