"""Rotation by this server's own functions, on a real PostgreSQL, through unmodified boto3."""

import json
import threading
import time

import botocore.exceptions
import databases
import pytest

NATIVE = "arn:aws:lambda:us-east-1:{account}:function:SecretsManagerRDSPostgreSQLRotation{strategy}User"
EVENTS = 20


@pytest.fixture(scope="module")
def postgres():
    server = databases.Postgres()
    server.start()
    yield server
    server.stop()


class Told:
    """A secret that rotates, and what becomes of it."""

    def __init__(self, client, account, name):
        self.client, self.account, self.name = client, account, name

    def function(self, strategy):
        return NATIVE.format(account=self.account, strategy=strategy)

    def described(self):
        return self.client.describe_secret(SecretId=self.name)

    def value(self, **which):
        return json.loads(self.client.get_secret_value(SecretId=self.name, **which)["SecretString"])

    def rotate(self, **more):
        version = self.client.rotate_secret(SecretId=self.name, **more)["VersionId"]
        return version

    def wait(self, version, label="AWSCURRENT"):
        """Asks until the version carries the label: nobody tells a client when a rotation ends."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if label in self.described()["VersionIdsToStages"].get(version, []):
                return
            time.sleep(0.02)
        raise AssertionError(self.described())


def login(server, value):
    """Whether the server takes this value's user and password."""
    return server.admits(value["username"], value["password"])


def secret(server, client, account, name, user, **more):
    password = databases.secrets.token_hex(12)
    server.sql(f"CREATE ROLE \"{user}\" LOGIN PASSWORD '{password}'")
    value = {"engine": "postgres", "host": "127.0.0.1", "port": server.port, "username": user, "password": password}
    client.create_secret(Name=name, SecretString=json.dumps(value | more))
    return Told(client, account, name)


def master(server, client):
    value = {"engine": "postgres", "host": "127.0.0.1", "port": server.port, "username": "postgres", "password": server.password}
    return client.create_secret(Name=f"master-{server.port}-{databases.secrets.token_hex(4)}", SecretString=json.dumps(value))["ARN"]
