"""No crash at any instant of a rotation loses a password: the server is killed, or the database, and all goes on.

The server speaks to PostgreSQL through a wire that counts what passes. Before the first message passes, the
server is killed; in the next rotation before a later one; and so on, until a rotation ends before anybody is.
"""

import contextlib
import itertools
import json
import os
import socket
import threading
import time

import botocore.exceptions
import databases
import pytest

from strongroom import Server, token
from test_rotation_functions import Lab, ended, names, sources, start

# Every so many messages somebody is killed. STRONGROOM_KILL_EVERY=1 tries each message, and takes minutes.
STRATEGIES = {"SingleUser": 2, "MultiUser": 4}
REGION = "us-east-1"


class Wire:
    """A way to a server's port that does something before a certain message passes, and doesn't let that one pass."""

    def __init__(self, port):
        self.to, self.lock = port, threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.fired, self.passed, self.at, self.act = threading.Event(), 0, None, None
        threading.Thread(target=self.accept, daemon=True).start()

    def arm(self, at, act):
        with self.lock:
            self.fired, self.passed, self.at, self.act = threading.Event(), 0, at, act

    def disarm(self):
        """Whether it was too late."""
        with self.lock:
            self.at = None
            return self.fired.is_set()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                ours, _ = self.listener.accept()
                try:
                    theirs = socket.create_connection(("127.0.0.1", self.to))
                except OSError:
                    ours.close()
                    continue
                for ends in ((ours, theirs), (theirs, ours)):
                    threading.Thread(target=self.carry, args=ends, daemon=True).start()

    def carry(self, from_, to):
        with contextlib.suppress(OSError):
            while (message := from_.recv(65_536)) and not self.stops():
                to.sendall(message)
        for end in (from_, to):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def stops(self):
        with self.lock:
            self.passed += 1
            if self.passed == self.at:
                self.act()
                self.fired.set()
            return self.passed == self.at


class World:
    """A secret whose password is PostgreSQL's, behind a wire."""

    def __init__(self, folder, postgres, strategy):
        self.postgres, self.wire = postgres, Wire(postgres.port)
        self.server = Server(folder)
        self.start()
        self.function = f"arn:aws:lambda:{REGION}:{self.server.keys.account}:function:SecretsManagerRDSPostgreSQLRotation{strategy}"
        user, more = f"app-{token()[:8]}", {}
        postgres.sql(f"CREATE ROLE \"{user}\" LOGIN PASSWORD 'first'")
        if strategy == "MultiUser":
            more["masterarn"] = self.secret("master", "postgres", postgres.password)
        self.stride = int(os.environ.get("STRONGROOM_KILL_EVERY", STRATEGIES[strategy]))
        self.arn = self.secret("app", user, "first", **more)
        self.tokens = []

    def start(self):
        self.server.start()
        self.client = self.server.client(REGION)

    def secret(self, name, user, password, **more):
        value = self.postgres.secret(user, password, **more) | {"host": "127.0.0.1", "port": self.wire.port}
        return self.client.create_secret(Name=name, SecretString=json.dumps(value))["ARN"]

    def kill(self):
        self.server.process.kill()

    def rotate(self):
        """Begins a rotation. Whoever is killed may not answer."""
        self.tokens.append(token())
        given = {"ClientRequestToken": self.tokens[-1], "RotationLambdaARN": self.function}
        with contextlib.suppress(botocore.exceptions.BotoCoreError):
            self.client.rotate_secret(SecretId="app", **given)
        return self.tokens[-1]

    def restart(self):
        self.server.process.wait()
        self.server.process = None
        self.start()

    def is_current(self, version):
        labels = self.client.describe_secret(SecretId="app")["VersionIdsToStages"]
        return "AWSCURRENT" in labels.get(version, [])

    def wait(self, told):
        wait(told, self.server)

    def outlives(self, version):
        """Waits until the server is killed, or the version is current: then nobody is killed any more."""
        while not self.wire.fired.wait(0.01):
            with contextlib.suppress(botocore.exceptions.BotoCoreError):
                if self.is_current(version):
                    return not self.wire.disarm()
        return False

    def said(self):
        return self.server.stderr.read_text()[-4000:]

    def value(self, **which):
        return json.loads(self.client.get_secret_value(SecretId="app", **which)["SecretString"])

    def check(self, before):
        """The current value gets in; with two users, so does the one before."""
        labels = self.client.describe_secret(SecretId="app")["VersionIdsToStages"]
        assert sum(it.count("AWSCURRENT") for it in labels.values()) == 1, labels
        value = self.value()
        assert self.accepts(value), self.said()
        assert value["username"] == before["username"] or self.accepts(before), self.said()

    def accepts(self, value):
        return self.postgres.accepts(value["username"], value["password"])

    def records(self, event):
        lines = self.server.run("trail", "tail", "--json", "--event", event).stdout.splitlines()
        return [json.loads(it)["requestID"].removeprefix(f"Rotation-{self.arn}-") for it in lines]


@pytest.fixture(scope="module")
def postgres():
    server = databases.Postgres()
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(params=STRATEGIES)
def world(request, tmp_path, postgres):
    made = World(tmp_path, postgres, request.param)
    try:
        yield made
    finally:
        made.server.stop()
        made.wire.close()


def test_killed_before_every_message(world):
    for number in itertools.count(1, world.stride):
        before = world.value()
        world.wire.arm(number, world.kill)
        version = world.rotate()
        if world.outlives(version):
            break
        world.restart()
        world.wait(lambda: world.is_current(version))  # noqa: B023
        world.check(before)
    world.check(before)
    assert number > 20, "a rotation is more than that many messages"
    assert sorted(world.records("RotationSucceeded")) == sorted(world.tokens)
    assert sorted(world.records("RotationStarted")) == sorted(world.tokens)


def test_killed_as_soon_as_something_is_seen(world):
    """Between the messages it is the store that is written to."""
    def made(version):
        try:
            return bool(world.value(VersionId=version))
        except world.client.exceptions.ResourceNotFoundException:
            return False

    for seen in (lambda _: True, made, world.is_current):
        before = world.value()
        world.wire.arm(None, None)
        version = world.rotate()
        world.wait(lambda: seen(version))  # noqa: B023
        world.kill()
        world.restart()
        world.wait(lambda: world.is_current(version))  # noqa: B023
        world.check(before)
    assert sorted(world.records("RotationSucceeded")) == sorted(world.tokens)


def test_killed_between_the_steps_of_a_function(tmp_path):
    """The next server has it take its steps anew, with the same token: the value that was made is kept."""
    server = Server(tmp_path)
    try:
        lab = Lab(start(server), REGION)
        arn = lab.secret("first")
        function = lab.function(sources("contract.py"), "contract.handler")
        for step in ("createSecret", "testSecret", "finishSecret"):
            before, taken = lab.value(), len(lab.asked())
            version = lab.secrets.rotate_secret(SecretId=lab.name, RotationLambdaARN=function)["VersionId"]
            wait(lambda: step in [it["step"] for it in lab.asked()[taken:]], server)  # noqa: B023
            made = lab.value(VersionId=version)
            server.process.kill()
            server.process.wait()
            server.process = None
            lab.secrets = start(server).client(REGION)
            assert names(ended(server, arn, version)) == ["RotationStarted", "RotationSucceeded"]
            assert (lab.value(), lab.value(VersionStage="AWSPREVIOUS")) == (made, before)
            assert {it["token"] for it in lab.asked()[taken:]} == {version}
    finally:
        server.stop()


def wait(told, server):
    """Asks until it is so: nobody tells a client when a rotation ends."""
    deadline = time.monotonic() + 60
    while not told():
        assert time.monotonic() < deadline, server.stderr.read_text()[-4000:]


def test_the_database_crashes(world):
    world.rotate()
    world.wait(lambda: world.is_current(world.tokens[-1]))
    messages = world.wire.passed
    for number in range(2, messages, messages // 4):
        before = world.value()
        world.wire.arm(number, world.postgres.crash)
        version = world.rotate()
        assert world.wire.fired.wait(30), world.said()
        ended(world.server, world.arn, version, ("Failed",))
        world.postgres.start()
        # It would go on by itself, after a while. Asked to, it does at once.
        with contextlib.suppress(world.client.exceptions.InvalidRequestException):
            world.client.rotate_secret(SecretId="app")
        world.wait(lambda: world.is_current(version))  # noqa: B023
        world.check(before)
    assert sorted(world.records("RotationSucceeded")) == sorted(world.tokens)
