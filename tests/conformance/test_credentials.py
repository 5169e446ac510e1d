"""`strongroom credentials serve`: workloads that store no key, through unmodified boto3 and the AWS CLI."""

import base64
import contextlib
import html
import http.server
import itertools
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import urllib.parse

import boto3
import botocore.session
import pytest

from strongroom import BINARY, Keys, exchange
from test_access import allow, policy, trust

_names = itertools.count(1)


class Agent:
    """One `strongroom credentials serve`. `exports` is what it prints."""

    def __init__(self, folder, text):
        self.file = pathlib.Path(folder) / "agent.toml"
        self.log = pathlib.Path(folder) / "agent.log"
        self.file.write_text(text)

    def check(self):
        line = [BINARY, "credentials", "serve", "--config", str(self.file), "--check"]
        return subprocess.run(line, capture_output=True, text=True, timeout=60)

    @contextlib.contextmanager
    def running(self, offers):
        line = [BINARY, "credentials", "serve", "--config", str(self.file)]
        with open(self.log, "ab") as log:
            process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            lines = [process.stdout.readline() for _ in range(offers)]
            pairs = (it.strip().removeprefix("export ").split("=", 1) for it in lines if "export" in it)
            yield dict(pairs)
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=30) == 0, self.log.read_text()
        finally:
            process.kill()
            process.wait()
            process.stdout.close()


class Site:
    """A role that reads one secret, and how an agent gets sessions of it."""

    def __init__(self, server, region, folder):
        self.server, self.region, self.folder = server, region, folder
        name = f"w{next(_names)}"
        iam = server.client(region, service="iam")
        server.client(region).create_secret(Name="app/db", SecretString="s3cret")
        iam.create_user(UserName=f"host-{name}")
        user = f"arn:aws:iam::{server.keys.account}:user/host-{name}"
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(user))
        self.role = made["Role"]["Arn"]
        grant = policy(allow("secretsmanager:GetSecretValue"))
        iam.put_role_policy(RoleName=name, PolicyName="read", PolicyDocument=grant)
        # A user may assume a role that trusts it by name; its key is the host's only secret.
        self.user, self.name, self.iam = f"host-{name}", name, iam
        key = iam.create_access_key(UserName=self.user)["AccessKey"]
        self.key = folder / "key.json"
        self.key.write_text(json.dumps({it: key[it] for it in ("AccessKeyId", "SecretAccessKey")}))
        self.key.chmod(0o600)

    @property
    def identity(self):
        return f'kind = "access-key"\nfile = "{self.key}"'

    def agent(self, *workloads, listen, identity=None, endpoint=None):
        rules = "".join(
            f'[[workload]]\nrole_arn = "{self.role}"\nsession_name = "app"\nduration = "15m"\n{it}\n'
            for it in workloads
        )
        places = "".join(
            f'[[listen]]\nat = "{at}"\noffers = {json.dumps(offers)}\n' for at, offers in listen
        )
        server = f'[server]\nendpoint = "{endpoint or self.server.endpoint}"\nregion = "{self.region}"\n'
        if endpoint:
            server += f'ca_file = "{self.server.ca_file}"\n'
        return Agent(self.folder, f"{server}[identity]\n{identity or self.identity}\n{places}{rules}")

    def environment(self, **variables):
        """What a workload has: where the service is, and where credentials are. No key."""
        base = {it: os.environ[it] for it in ("PATH", "LANG") if it in os.environ}
        nowhere = {it: "/nonexistent" for it in ("HOME", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE")}
        place = {"AWS_ENDPOINT_URL": self.server.endpoint, "AWS_REGION": self.region}
        place["AWS_DEFAULT_REGION"] = self.region
        return base | nowhere | place | variables

    def by_boto3(self, **variables):
        """The secret and the caller's ARN, as a process of its own with unmodified boto3 sees them."""
        program = (
            "import boto3; "
            "print(boto3.client('secretsmanager').get_secret_value(SecretId='app/db')['SecretString']);"
            "print(boto3.client('sts').get_caller_identity()['Arn'])"
        )
        return self.run([sys.executable, "-c", program], variables)

    def by_cli(self, **variables):
        aws = [sys.executable, "-m", "awscli", "--output", "text"]
        secret = ["secretsmanager", "get-secret-value", "--secret-id", "app/db", "--query", "SecretString"]
        return [
            *self.run([*aws, *secret], variables),
            *self.run([*aws, "sts", "get-caller-identity", "--query", "Arn"], variables),
        ]

    def run(self, line, variables):
        done = subprocess.run(
            line, env=self.environment(**variables), capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    @property
    def expected(self):
        account = self.server.keys.account
        return ["s3cret", f"arn:aws:sts::{account}:assumed-role/{self.name}/app"]


@pytest.fixture
def site(server, region, tmp_path):
    return Site(server, region, tmp_path)


ME = f"uid = {os.geteuid()}"
CONTAINER = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
IMDS = "AWS_EC2_METADATA_SERVICE_ENDPOINT"


def test_a_process_is_known_by_its_user(site):
    agent = site.agent(ME, listen=[("127.0.0.1:0", ["container", "imds"])])
    with agent.running(offers=2) as exports:
        container = {CONTAINER: exports[CONTAINER]}
        metadata = {IMDS: exports[IMDS], "AWS_EC2_METADATA_V1_DISABLED": "true"}
        assert site.by_boto3(**container) == site.expected
        assert site.by_boto3(**metadata) == site.expected
        assert site.by_cli(**container) == site.expected
        assert site.by_cli(**metadata) == site.expected
        handed = exchange(exports[CONTAINER], "GET", "/credentials", None, {}).json
    told = agent.log.read_text()
    assert "session fetched" in told and handed["AccessKeyId"] in told
    stored = json.loads(site.key.read_text())["SecretAccessKey"]
    for secret in (stored, handed["SecretAccessKey"], handed["Token"]):
        assert secret not in told


def test_over_tls_with_a_cgroup_and_a_group(site):
    cgroup = next(
        it[3:] for it in pathlib.Path("/proc/self/cgroup").read_text().split("\n") if it.startswith("0::")
    )
    rule = f'gid = {os.getegid()}\ncgroup = "{cgroup}*"'
    other = f'gid = {os.getegid() + 1}\ncgroup = "{cgroup}*"'
    listen = [("127.0.0.1:0", ["container"])]
    with site.agent(rule, listen=listen, endpoint=site.server.tls_endpoint).running(1) as exports:
        assert site.by_boto3(**exports) == site.expected
    with site.agent(other, listen=listen, endpoint=site.server.tls_endpoint).running(1) as exports:
        assert exchange(exports[CONTAINER], "GET", "/credentials", None, {}).status == 403


def test_a_token_is_a_containers(site):
    token = site.folder / "token"
    token.write_text("token-of-the-container")
    token.chmod(0o640)
    agent = site.agent(f'token_file = "{token}"', listen=[("127.0.0.1:0", ["container"])])
    with agent.running(offers=1) as exports:
        by_file = exports | {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(token)}
        by_value = exports | {"AWS_CONTAINER_AUTHORIZATION_TOKEN": token.read_text()}
        assert site.by_boto3(**by_file) == site.expected
        assert site.by_cli(**by_value) == site.expected
        for headers in ({}, {"Authorization": "token-of-a-containex!!"}):
            answer = exchange(exports[CONTAINER], "GET", "/credentials", None, headers)
            assert (answer.status, answer.json["code"]) == (403, "AccessDenied")


class Exchange:
    """Stands for `AssumeRoleWithWebIdentity` alone: takes the tokens it knows and begins real sessions,
    as the host's user."""

    def __init__(self, site, tokens):
        key = json.loads(site.key.read_text())
        keys = Keys(site.server.keys.account, key["AccessKeyId"], key["SecretAccessKey"])
        sts = site.server.client(site.region, service="sts", keys=keys)

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                form = dict(urllib.parse.parse_qsl(body, strict_parsing=True))
                known = form["Action"] == "AssumeRoleWithWebIdentity" and "Authorization" not in self.headers
                if known and form["WebIdentityToken"] in tokens:
                    self.answer(200, self.session(form))
                else:
                    self.answer(400, "<E><Error><Code>InvalidIdentityToken</Code><Message/></Error></E>")

            def session(self, form):
                made = sts.assume_role(
                    RoleArn=form["RoleArn"],
                    RoleSessionName=form["RoleSessionName"],
                    DurationSeconds=int(form["DurationSeconds"]),
                )["Credentials"]
                made["Expiration"] = made["Expiration"].strftime("%Y-%m-%dT%H:%M:%SZ")
                members = "".join(f"<{key}>{html.escape(it)}</{key}>" for key, it in made.items())
                return f"<R><Credentials>{members}</Credentials></R>"

            def answer(self, status, text):
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        return self.endpoint

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def pod_token(account):
    """A service account's token in form; who checks it decides what it is worth."""
    claims = {
        "sub": f"system:serviceaccount:{account.replace('/', ':')}",
        "exp": 4_000_000_000,
        "kubernetes.io": {"pod": {"name": "app"}},
    }
    part = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"e30.{part}.c2ln"


def test_a_pod_shows_its_service_accounts_token(site):
    token = site.folder / "pod-token"
    token.write_text(pod_token("shop/web"))
    rules = ['service_account = "shop/web"', 'service_account = "shop/forged"']
    listen = [("127.0.0.1:0", ["pod-identity"])]
    with Exchange(site, {token.read_text()}) as endpoint:
        agent = site.agent(*rules, listen=listen)
        text = agent.file.read_text().replace(site.server.endpoint, endpoint)
        agent.file.write_text(text.replace('session_name = "app"', ""))
        with agent.running(offers=1) as exports:
            variables = exports | {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(token)}
            assert site.by_boto3(**variables) == site.expected
            assert site.by_cli(**variables) == site.expected
            for account in ("shop/forged", "shop/unknown"):
                headers = {"Authorization": pod_token(account)}
                answer = exchange(exports[CONTAINER], "GET", "/v1/credentials", None, headers)
                assert (answer.status, answer.json["code"]) == (403, "AccessDenied")
        assert token.read_text() not in agent.log.read_text()


def test_a_client_sees_the_next_session(site, monkeypatch):
    """botocore asks again once less than 15 minutes are left; a session of 15 minutes makes it ask at
    each use. Another agent at the same place stands for the one that has renewed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{free.getsockname()[1]}"
    agent = site.agent(ME, listen=[(place, ["container"])])
    for name in [it for it in os.environ if it.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in site.environment().items():
        monkeypatch.setenv(name, value)
    with agent.running(offers=1) as exports:
        monkeypatch.setenv(CONTAINER, exports[CONTAINER])
        session = boto3.Session(botocore_session=botocore.session.Session())
        client = session.client("secretsmanager")
        assert client.get_secret_value(SecretId="app/db")["SecretString"] == "s3cret"
        first = session.get_credentials().get_frozen_credentials().access_key
        assert session.get_credentials().get_frozen_credentials().access_key == first
    with agent.running(offers=1):
        assert client.get_secret_value(SecretId="app/db")["SecretString"] == "s3cret"
        assert session.get_credentials().get_frozen_credentials().access_key != first


def test_a_role_that_is_refused_and_a_server_that_is_gone(site):
    listen = [("127.0.0.1:0", ["container", "imds"])]
    with site.agent(ME, listen=listen).running(offers=2) as exports:
        site.iam.update_assume_role_policy(
            RoleName=site.name, PolicyDocument=trust(f"arn:aws:iam::{site.server.keys.account}:root")
        )
        answer = exchange(exports[CONTAINER], "GET", "/credentials", None, {})
        assert (answer.status, answer.json["code"]) == (403, "AccessDenied")
        ttl = {"X-aws-ec2-metadata-token-ttl-seconds": "60"}
        token = exchange(exports[IMDS], "PUT", "/latest/api/token", None, ttl).body.decode()
        path = f"/latest/meta-data/iam/security-credentials/{site.name}"
        answer = exchange(exports[IMDS], "GET", path, None, {"X-aws-ec2-metadata-token": token})
        assert (answer.status, answer.json["Code"]) == (200, "AssumeRoleUnauthorizedAccess")
    gone = site.agent(ME, listen=listen)
    gone.file.write_text(gone.file.read_text().replace(site.server.endpoint, "http://127.0.0.1:1"))
    with gone.running(offers=2) as exports:
        assert exchange(exports[CONTAINER], "GET", "/credentials", None, {}).status == 503
    assert "no answer from the server: Connection refused" in gone.log.read_text()


def test_the_configuration_is_checked(site):
    listen = [("127.0.0.1:0", ["container"])]
    assert site.agent(ME, listen=listen).check().returncode == 0
    ambiguous = site.agent(ME, f"gid = {os.getegid()}", listen=listen).check()
    assert ambiguous.returncode == 3
    assert "`workload` 1 and `workload` 2 can fit the same caller" in ambiguous.stderr
    site.key.chmod(0o644)
    told = site.agent(ME, listen=listen).check().stderr
    assert "its mode must be 0600" in told


def test_one_role_without_a_file(site):
    line = [BINARY, "credentials", "serve", "--endpoint", site.server.endpoint, "--region", site.region]
    line += ["--role-arn", site.role, "--access-key-file", str(site.key), "--session-name", "app"]
    with open(site.folder / "log", "wb") as log:
        process = subprocess.Popen(
            [*line, "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, stderr=log, text=True
        )
    try:
        name, value = process.stdout.readline().strip().removeprefix("export ").split("=", 1)
        assert site.by_boto3(**{name: value}) == site.expected
    finally:
        process.terminate()
        assert process.wait(timeout=30) == 0
        process.stdout.close()
