"""The official Python caching client reads through the server."""

import pytest
from aws_secretsmanager_caching import InjectSecretString, SecretCache, SecretCacheConfig


@pytest.fixture
def client(server, region):
    return server.client(region)


def test_values_are_cached_and_refreshed(client):
    client.create_secret(Name="app/db", SecretString="one")
    lasting = SecretCache(SecretCacheConfig(), client)
    assert lasting.get_secret_string("app/db") == "one"
    client.put_secret_value(SecretId="app/db", SecretString="two")
    assert lasting.get_secret_string("app/db") == "one"
    fresh = SecretCache(SecretCacheConfig(), client)
    assert fresh.get_secret_string("app/db") == "two"
    assert fresh.get_secret_string("app/db", "AWSPREVIOUS") == "one"
    short = SecretCache(SecretCacheConfig(secret_refresh_interval=0), client)
    assert short.get_secret_string("app/db") == "two"
    client.put_secret_value(SecretId="app/db", SecretString="three")
    assert short.get_secret_string("app/db") == "three"


def test_bytes_are_cached(client):
    client.create_secret(Name="app/key", SecretBinary=b"\0\1\2")
    assert SecretCache(SecretCacheConfig(), client).get_secret_binary("app/key") == b"\0\1\2"


def test_values_are_injected(client):
    client.create_secret(Name="app/db", SecretString="one")

    @InjectSecretString("app/db", SecretCache(SecretCacheConfig(), client))
    def use(value):
        return value

    assert use() == "one"


def test_absence_is_told(client):
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        SecretCache(SecretCacheConfig(), client).get_secret_string("app/none")
