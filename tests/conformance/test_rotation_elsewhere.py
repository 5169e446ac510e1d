"""Rotation by functions that are somewhere else: those of a second server, over HTTPS, and peers that misbehave."""

import contextlib
import http.server
import itertools
import json
import socket
import subprocess
import threading

import pytest

from issuer import Authority
from strongroom import BINARY, Keys, Server
from test_access import allow, policy, refused
from test_lambda import World, package
from test_oidc import Production
from test_rotation_functions import PYTHON, SHUT, STEPS, ended, names, sources, start

HOME = "111122223333"
REGION = "eu-west-1"
_numbers = itertools.count(1)
# The credentials of its role are for where it runs. Those for where the secret is, it brings along.
CLIENT = """
import os
os.environ.pop("AWS_SESSION_TOKEN")
os.environ.update({it.removeprefix("HOME_"): os.environ[it] for it in list(os.environ) if it.startswith("HOME_")})
from contract import handler
"""


class Peer:
    """An HTTPS endpoint that says one thing to every request, or nothing."""

    def __init__(self, authority, status=200, body=b"", headers=None, silent=False):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(handler):  # noqa: N805
                handler.rfile.read(int(handler.headers["content-length"]))
                if silent:
                    self.stopped.wait(30)
                    return
                handler.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
                    handler.send_header(name, value)
                handler.end_headers()
                with contextlib.suppress(OSError):
                    handler.wfile.write(body)

            def log_message(handler, *_):  # noqa: N805
                pass

        self.stopped = threading.Event()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.socket = authority.context().wrap_socket(self.server.socket, server_side=True)
        self.endpoint = f"https://localhost:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        self.stopped.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def away(tmp_path_factory):
    """The server that has the functions."""
    server = Server(tmp_path_factory.mktemp("away"))
    try:
        start(server)
        server.world = World(server, REGION)
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def peers(tmp_path_factory):
    authority = Authority(tmp_path_factory.mktemp("authority"))
    ran = {"X-Amz-Executed-Version": "$LATEST"}
    made = {
        "garbage": Peer(authority, body=b"<html>come in</html>"),
        "large": Peer(authority, body=bytes(7 << 20), headers=ran),
        "silent": Peer(authority, silent=True),
        "busy": Peer(authority, 429, b'{"message":"Rate Exceeded."}'),
    }
    yield authority, made
    for peer in made.values():
        peer.stop()


@pytest.fixture(scope="module")
def home(tmp_path_factory, away, peers):
    """The server that has the secrets."""
    folder = tmp_path_factory.mktemp("home")
    authority, scripted = peers
    signer = away.new_key()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        closed = f"https://localhost:{taken.getsockname()[1]}"
    key = folder / "remote.key"
    key.touch(0o600)
    key.write_text(signer.secret)

    def remote(name, endpoint, ca, **more):
        members = {
            "arn_prefix": f"arn:aws:lambda:{REGION}:{away.keys.account}:function:{name}",
            "endpoint": endpoint,
            "accounts": [HOME],
            "access_key_id": signer.key_id,
            "secret_access_key_file": str(key),
            "ca_bundle": str(ca),
        }
        return "[[functions.remote]]\n" + "".join(f"{it} = {json.dumps(to)}\n" for it, to in (members | more).items())

    text = remote("", away.tls_endpoint, away.ca_file)
    text += remote("unknown-", away.tls_endpoint, authority.bundle)
    text += remote("closed-", closed, authority.bundle)
    text += "".join(remote(f"{it}-", of.endpoint, authority.bundle, timeout="2s") for it, of in scripted.items())
    server = Production(folder)
    try:
        server.start(text)
        made = json.loads(server.run("account", "create", "--id", HOME, "--json").stdout)
        server.stranger = server.keys
        server.keys = Keys(HOME, made["AccessKeyId"], made["SecretAccessKey"])
        server.key = key
        yield server
        assert server.process.poll() is None, "the server died during the tests"
    finally:
        server.stop()


@pytest.fixture
def both(home, away):
    return Both(home, away)


class Both:
    """A secret at home, and what is away."""

    def __init__(self, home, away):
        self.home, self.away = home, away
        self.secrets = home.client(REGION)
        self.name = f"app-{next(_numbers)}"
        self.arn = self.secrets.create_secret(Name=self.name, SecretString="first")["ARN"]

    def function(self, **more):
        """Its ARN, away. It has a user's key for the secret."""
        iam = self.home.client(REGION, service="iam")
        iam.create_user(UserName=self.name)
        acts = [f"secretsmanager:{it}" for it in ("DescribeSecret", "GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage")]
        statements = [allow(acts, self.arn), allow("secretsmanager:GetRandomPassword")]
        iam.put_user_policy(UserName=self.name, PolicyName="p", PolicyDocument=policy(*statements))
        key = iam.create_access_key(UserName=self.name)["AccessKey"]
        variables = {
            "HOME_AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "HOME_AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
            "HOME_SECRETS_MANAGER_ENDPOINT": self.home.endpoint,
        }
        members = {
            "Runtime": PYTHON,
            "Handler": "client.handler",
            "Code": {"ZipFile": package(**sources("contract.py"), **{"client.py": CLIENT})},
            "Timeout": 30,
            "Environment": {"Variables": variables | more},
        }
        return self.away.world.create(self.name, **members)["FunctionArn"]

    def named(self, name):
        return f"arn:aws:lambda:{REGION}:{self.away.keys.account}:function:{name}"

    def rotate(self, function, ends=("Succeeded", "Failed", "Abandoned")):
        answer = self.secrets.rotate_secret(SecretId=self.name, RotationLambdaARN=function)
        return answer["VersionId"], names(ended(self.home, self.arn, answer["VersionId"], ends))

    def value(self):
        return self.secrets.get_secret_value(SecretId=self.name)["SecretString"]

    def reason(self):
        """What operators are told."""
        lines = [it for it in self.home.stderr.read_text().splitlines() if self.arn in it]
        return [json.loads(it) for it in lines if "a rotation has failed" in it][-1]["cause"]

    def said(self, secret):
        files = [it for it in self.home.folder.rglob("*") if it.is_file()]
        return [it.name for it in files if secret.encode() in it.read_bytes()]


def test_a_function_of_another_server(both):
    function = both.function()
    values = [both.value()]
    for _ in range(2):
        _, told = both.rotate(function)
        assert told == ["RotationStarted", "RotationSucceeded"], both.home.stderr.read_text()[-3000:]
        values.append(both.value())
    assert len(set(values)) == 3
    log = [it for it in both.home.stderr.read_text().splitlines() if function in it]
    steps = [it for it in log if "asked" in it]
    assert [step for it in steps for step in STEPS if step in it] == STEPS * 2
    assert any("made [hidden]" in it for it in log), "it tells, and the log doesn't"
    assert [it for it in values[1:] if both.said(it)] == []
    plan = both.home.run("rotation", "plan", both.arn).stdout
    assert f"`{function}` is somewhere else, and may be invoked there" in plan


def test_a_function_that_fails_there(both):
    function = both.function(BROKEN="1")
    version, told = both.rotate(function)
    assert told[-1] == "RotationFailed" and both.value() == "first"
    pending = both.secrets.get_secret_value(SecretId=both.name, VersionId=version)["SecretString"]
    assert "nobody accepts [hidden]" in both.reason() and both.said(pending) == []


def test_a_wrong_key_is_told_and_another_one_goes_on(both):
    function = both.function()
    right = both.home.key.read_text()
    both.home.key.write_text("x" * 40)
    try:
        version, told = both.rotate(function)
        assert told[-1] == "RotationFailed" and both.value() == "first"
        assert "answers 403: InvalidSignatureException" in both.reason()
        both.home.key.chmod(0o644)
        plan = both.home.run("rotation", "plan", both.arn, check=False).stdout
        assert "is open to group or others (mode 0644)" in plan
    finally:
        both.home.key.write_text(right)
        both.home.key.chmod(0o600)
    busy = lambda: both.secrets.rotate_secret(SecretId=both.name)  # noqa: E731
    refused(busy, "InvalidRequestException")
    assert names(ended(both.home, both.arn, version, ("Succeeded",)))[-1] == "RotationSucceeded"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("none", "answers 404: ResourceNotFoundException Function not found"),
        ("closed-x", "Connection refused"),
        ("unknown-x", "invalid peer certificate: UnknownIssuer"),
        ("garbage-x", "doesn't answer as Lambda does"),
        ("large-x", "answers more than 6291556 bytes"),
        ("silent-x", "hasn't answered within 2s"),
        ("busy-x", "Rate Exceeded."),
    ],
)
def test_what_can_go_wrong_there(both, name, reason):
    _, told = both.rotate(both.named(name))
    assert told == ["RotationStarted", "RotationFailed"]
    assert reason in both.reason() and both.value() == "first"


def test_only_whom_the_configuration_names(both):
    theirs = both.home.client(REGION, keys=both.home.stranger)
    theirs.create_secret(Name=both.name, SecretString="theirs")
    for function in (both.named("none"), both.named("none").replace(REGION, "eu-west-2")):
        rotate = lambda: theirs.rotate_secret(SecretId=both.name, RotationLambdaARN=function)  # noqa: E731, B023
        assert refused(rotate) == SHUT


def test_no_function_of_this_server_is_hidden(tmp_path):
    server = Server(tmp_path)
    world = World(server.start(), REGION)
    arn = world.create("near-app")["FunctionArn"]
    server.stop()
    key = tmp_path / "key"
    key.touch(0o600)
    key.write_text("secret")
    config = tmp_path / "strongroom.toml"
    config.write_text(
        f'[server]\ndata = "{server.data}"\nlisten = ["127.0.0.1:0"]\n[[functions.remote]]\n'
        f'arn_prefix = "{arn[:-3]}"\nendpoint = "https://localhost:1"\naccess_key_id = "AKIA1"\n'
        f'secret_access_key_file = "{key}"\n'
    )
    line = [BINARY, "server", "--config", str(config)]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60)
    assert done.returncode == 3
    assert f"`{arn}` is a function of this server, and `functions.remote` says that it is somewhere else" in done.stderr
    key.chmod(0o640)
    done = subprocess.run(line, capture_output=True, text=True, timeout=60)
    assert done.returncode == 3 and f"the key file `{key}` is open to group or others (mode 0640)" in done.stderr
