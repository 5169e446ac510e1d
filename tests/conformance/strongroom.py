"""A running `strongroom dev` of its own, and ways to talk to it.

`Server` is the process: its data folder, its admin socket, its two endpoints. `Wire` speaks the raw
protocol, signed by botocore, for what no client can be made to send. Nothing here waits by the clock:
`strongroom env` returns once the server answers.
"""

import base64
import contextlib
import dataclasses
import datetime
import http.client
import json
import os
import pathlib
import socket
import ssl
import subprocess
import uuid
from unittest import mock
from urllib.parse import urlsplit

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.config
import botocore.credentials

import shapes

BINARY = os.environ.get("STRONGROOM_BINARY") or str(
    pathlib.Path(__file__).resolve().parents[2] / "target/debug/strongroom"
)
JSON = "application/x-amz-json-1.1"
FORM = "application/x-www-form-urlencoded; charset=utf-8"


@dataclasses.dataclass(frozen=True)
class Keys:
    """An access key and the account it belongs to."""

    account: str
    key_id: str
    secret: str
    token: str | None = None

    @staticmethod
    def of_session(account, credentials):
        """The `Credentials` of an STS answer."""
        fields = ("AccessKeyId", "SecretAccessKey", "SessionToken")
        return Keys(account, *(credentials[it] for it in fields))


@dataclasses.dataclass(frozen=True)
class Answer:
    """What came back: the status, the headers in lower case, the body's bytes."""

    status: int
    headers: dict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def type(self):
        return self.json.get("__type")

    @property
    def message(self):
        body = self.json
        return body.get("Message", body.get("message"))


class Fault(Exception):
    """An error answer where a success was wanted."""

    def __init__(self, answer):
        super().__init__(f"{answer.status} {answer.body[:500]!r}")
        self.answer = answer


class Server:
    """One `strongroom dev` process with its own data folder."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.data = self.folder / "data"
        self.process = None
        self.environment = {}
        self.keys = None
        self.endpoint = self.tls_endpoint = self.ca_file = None

    def start(self, *arguments):
        """Starts the process and returns once it answers."""
        line = [BINARY, "dev", "--data", str(self.data), "--listen", "127.0.0.1:0", *arguments]
        with open(self.stdout, "ab") as out, open(self.stderr, "ab") as err:
            self.process = subprocess.Popen(line, stdout=out, stderr=err, stdin=subprocess.DEVNULL)
        try:
            self.environment = self.exports()
            told = self.admin("GET", "/v1/dev-credentials")
            status = self.admin("GET", "/v1/status")
        except Exception as error:
            self.stop()
            raise AssertionError(f"no server:\n{self.stderr.read_text()}") from error
        self.endpoint, self.tls_endpoint = told["Endpoint"], told["TlsEndpoint"]
        self.ca_file = told["CaFile"]
        assert status["Pid"] == self.process.pid, "another server answered"
        accounts = self.admin("GET", "/v1/accounts")["Accounts"]
        self.keys = Keys(accounts[0]["AccountId"], told["AccessKeyId"], told["SecretAccessKey"])
        return self

    def refuses_to_start(self):
        """What it says when it doesn't start."""
        line = [BINARY, "dev", "--data", str(self.data), "--listen", "127.0.0.1:0"]
        done = subprocess.run(line, capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stdout) == (3, ""), done.stderr
        return done.stderr

    def stop(self):
        """Ends the process by its id and waits for it."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(timeout=30)
        finally:
            self.process.kill()
            self.process = None

    @property
    def stdout(self):
        return self.folder / "stdout.txt"

    @property
    def stderr(self):
        return self.folder / "stderr.txt"

    def run(self, *arguments, check=True):
        """Runs a subcommand on this server's data folder."""
        line = [BINARY, *arguments, "--data", str(self.data)]
        return subprocess.run(line, capture_output=True, text=True, timeout=60, check=check)

    def exports(self):
        """What `strongroom env` prints, as a dictionary."""
        lines = self.run("env").stdout.splitlines()
        pairs = (it.removeprefix("export ").split("=", 1) for it in lines if "export " in it)
        return {name: value.strip("'\"") for name, value in pairs}

    def admin(self, method, path, body=None):
        """One request to the admin socket; the answer's JSON, or its text."""
        answer = self.admin_answer(method, path, body)
        if answer.status >= 300:
            raise Fault(answer)
        is_json = answer.headers.get("content-type", "").startswith("application/json")
        return answer.json if is_json else answer.body.decode()

    def admin_answer(self, method, path, body=None):
        connection = http.client.HTTPConnection("localhost", timeout=60)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(self.data / "admin.sock"))
        payload = None if body is None else json.dumps(body)
        with contextlib.closing(connection):
            connection.request(method, path, payload, {"Content-Type": "application/json"})
            return read(connection)

    def new_account(self):
        """A second account with an admin key."""
        made = self.admin("POST", "/v1/accounts", {})
        return Keys(made["AccountId"], made["AccessKeyId"], made["SecretAccessKey"])

    def new_key(self):
        """A key of a further administrator of the first account."""
        user = {"AccountId": self.keys.account, "UserName": f"admin-{uuid.uuid4()}"}
        made = self.admin("POST", "/v1/access-keys", user)
        return Keys(self.keys.account, made["AccessKeyId"], made["SecretAccessKey"])

    def wire(self, region, keys=None):
        return Wire(self, region, keys or self.keys)

    def client(self, region, *, service="secretsmanager", tls=False, keys=None, **config):
        """An unmodified boto3 client, whose answers are held against the model."""
        keys = keys or self.keys
        client = boto3.client(
            service,
            region_name=region,
            endpoint_url=self.tls_endpoint if tls else self.endpoint,
            verify=self.ca_file if tls else None,
            aws_access_key_id=keys.key_id,
            aws_secret_access_key=keys.secret,
            aws_session_token=keys.token,
            config=botocore.config.Config(retries={"total_max_attempts": 1}, **config),
        )
        return shapes.watch(client)


class Wire:
    """The raw protocol, as one caller in one Region."""

    def __init__(self, server, region, keys):
        self.server, self.region, self.keys = server, region, keys

    def call(self, operation, **members):
        """The success of an operation, after checking what every success has in common."""
        answer = self.ask(operation, members)
        if answer.status != 200:
            raise Fault(answer)
        assert nulls(answer.json) == [], f"null members: {nulls(answer.json)}"
        return answer.json

    def fault(self, operation, **members):
        """The error of an operation."""
        answer = self.ask(operation, members)
        assert answer.status != 200, f"{operation} succeeded: {answer.body[:500]!r}"
        assert answer.type, f"an error without a type: {answer.body[:500]!r}"
        return answer

    def ask(self, operation, members):
        return self.send(operation, json.dumps(members).encode())

    def send(self, operation, body, **changes):
        """Any bytes as the body. What every answer has in common is checked here."""
        answer = self.post(f"secretsmanager.{operation}", body, **changes)
        assert answer.headers.get("content-type") == JSON, answer
        assert str(uuid.UUID(answer.headers["x-amzn-requestid"])), answer
        return answer

    def post(
        self, target, body, *, service="secretsmanager", at=None, tamper=None, sent=None, signed=True
    ):
        """`at`: the instant to sign for. `tamper`: changes the signed headers before they leave.
        `sent`: another body than the signed one."""
        headers = {"Content-Type": JSON}
        if target is not None:
            headers["X-Amz-Target"] = target
        request = botocore.awsrequest.AWSRequest("POST", self.server.endpoint + "/", headers, body)
        if signed:
            self.sign(request, service, at)
        headers = dict(request.headers.items())
        if tamper:
            tamper(headers)
        return exchange(self.server.endpoint, "POST", "/", sent or body, headers)

    def sign(self, request, service, at=None):
        credentials = botocore.credentials.Credentials(self.keys.key_id, self.keys.secret)
        signer = botocore.auth.SigV4Auth(credentials, service, self.region)
        now = at or datetime.datetime.now(datetime.timezone.utc)
        with mock.patch("botocore.auth.get_current_datetime", lambda: now):
            signer.add_auth(request)

    def secret(self, name="t/one", **members):
        """A fresh secret with value `a`; its ARN and version id."""
        token = str(uuid.uuid4())
        members = {"SecretString": "a", "ClientRequestToken": token} | members
        made = self.call("CreateSecret", Name=name, **members)
        return made["ARN"], made.get("VersionId")

    def put(self, value, token=None, name="t/one", **members):
        token = token or str(uuid.uuid4())
        return self.call(
            "PutSecretValue",
            SecretId=name,
            SecretString=value,
            ClientRequestToken=token,
            **members,
        )

    def stages(self, name="t/one"):
        """Version ids to sets of labels, as DescribeSecret shows them."""
        shown = self.call("DescribeSecret", SecretId=name).get("VersionIdsToStages", {})
        return {version: set(labels) for version, labels in shown.items()}


def exchange(endpoint, method, path, body, headers):
    """One request over one connection. A server may answer before it has read everything."""
    url = urlsplit(endpoint)
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=30)
    with contextlib.closing(connection):
        try:
            connection.request(method, path, body, headers)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the answer tells why
        return read(connection)


def read(connection):
    response = connection.getresponse()
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, headers, response.read())


def nulls(value, path=""):
    """Where `null` stands in a JSON value."""
    if value is None:
        return [path]
    if isinstance(value, dict):
        return [found for key, it in value.items() for found in nulls(it, f"{path}.{key}")]
    if isinstance(value, list):
        return [found for n, it in enumerate(value) for found in nulls(it, f"{path}[{n}]")]
    return []


def token():
    return str(uuid.uuid4())


def blob(data):
    return base64.b64encode(data).decode()


def tls_context(server):
    return ssl.create_default_context(cafile=server.ca_file)
