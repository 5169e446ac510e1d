"""Rotation functions as people have them for Lambda, unmodified: from create_function to a password that works."""

import importlib.util
import itertools
import json
import os
import pathlib
import subprocess
import sys
import threading
from unittest import mock

import databases
import pytest

from strongroom import BINARY, Server
from test_access import allow, policy, refused
from test_lambda import World, package

SOURCES = pathlib.Path(__file__).parent / "functions"
# The driver, and what it needs: the package brings them along.
MODULES = ("pg8000", "scramp", "asn1crypto")
PYTHON = f"python3.{sys.version_info.minor}"
STEPS = ["createSecret", "setSecret", "testSecret", "finishSecret"]
SHUT = (
    "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants access to"
    " the principal secretsmanager.amazonaws.com."
)
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A server whose functions run in the Python of these tests: that one has boto3."""
    server = Server(tmp_path_factory.mktemp("functions"))
    try:
        yield start(server)
    finally:
        server.stop()


def start(server):
    path = f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}"
    with mock.patch.dict(os.environ, PATH=path):
        return server.start()


@pytest.fixture(scope="module")
def postgres():
    server = databases.Postgres()
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture
def lab(own, region):
    return Lab(own, region)


class Lab(World):
    """Clients of one Region; functions, and secrets that they rotate."""

    def __init__(self, server, region):
        super().__init__(server, region)
        self.secrets = server.client(region)
        self.name = f"app-{next(_numbers)}"

    def secret(self, value, name=None):
        text = value if isinstance(value, str) else json.dumps(value)
        return self.secrets.create_secret(Name=name or self.name, SecretString=text)["ARN"]

    def function(self, files, handler, permitted=True, **more):
        """A function whose role may do what AWS's templates give it."""
        members = {"Runtime": PYTHON, "Handler": handler, "Code": {"ZipFile": package(**files)}, "Timeout": 30}
        made = self.create(self.name, **members | more)["FunctionArn"]
        acts = ("DescribeSecret", "GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage")
        own = {"StringEquals": {"secretsmanager:resource/AllowRotationLambdaArn": made}}
        statements = [
            allow([f"secretsmanager:{it}" for it in acts], f"arn:aws:secretsmanager:{self.region}:*:secret:*", Condition=own),
            allow("secretsmanager:GetRandomPassword"),
            allow("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{self.region}:*:secret:master*"),
        ]
        role = self.role.rsplit("/", 1)[1]
        self.iam.put_role_policy(RoleName=role, PolicyName="rotation", PolicyDocument=policy(*statements))
        if permitted:
            self.permit()
        return made

    def permit(self):
        who = {"Principal": "secretsmanager.amazonaws.com", "SourceAccount": self.server.keys.account}
        self.functions.add_permission(
            FunctionName=self.name, StatementId="rotation", Action="lambda:InvokeFunction", **who
        )

    def rotate(self, function=None, **more):
        """Rotates, and waits for the end: the version, and what the trail says of it."""
        given = {"RotationLambdaARN": function} if function else {}
        answer = self.secrets.rotate_secret(SecretId=self.name, **given | more)
        return answer["VersionId"], ended(self.server, answer["ARN"], answer["VersionId"])

    def value(self, **which):
        return self.secrets.get_secret_value(SecretId=self.name, **which)["SecretString"]

    def stages(self):
        return self.secrets.describe_secret(SecretId=self.name)["VersionIdsToStages"]

    def log(self):
        """What the function has printed."""
        lines = self.server.stderr.read_text().splitlines()
        return [it for it in lines if f'function="{self.arn(self.name)}"' in it or f"function={self.arn(self.name)} " in it]

    def asked(self):
        read = json.JSONDecoder().raw_decode
        return [read(it.split("asked ", 1)[1])[0] for it in self.log() if "asked " in it]

    def said(self, secret):
        """Where `secret` stands in what the server has written."""
        files = [it for it in self.server.folder.rglob("*") if it.is_file()]
        return [it.name for it in files if secret.encode() in it.read_bytes()]


def ended(server, arn, version, ends=("Succeeded", "Failed", "Abandoned")):
    """The records of a rotation, until one that ends it."""
    line = [BINARY, "trail", "tail", "--json", "--follow", "--last", "10000", "--data", str(server.data)]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as tail:
        limit = threading.Timer(60, tail.kill)
        limit.start()
        found = []
        for record in map(json.loads, tail.stdout):
            if record.get("requestID") != f"Rotation-{arn}-{version}":
                continue
            found.append(record)
            if record["eventName"].endswith(ends):
                break
        limit.cancel()
        tail.kill()
    assert found and found[-1]["eventName"].endswith(ends), (found, server.stderr.read_text()[-4000:])
    return found


def names(records):
    return [it["eventName"] for it in records]


def sources(*names):
    return {it: (SOURCES / it).read_text() for it in names}


def postgres_package():
    files = sources("contract.py", "postgres.py")
    for module in MODULES:
        folder = pathlib.Path(importlib.util.find_spec(module).origin).parent
        for path in folder.rglob("*.py"):
            files[str(path.relative_to(folder.parent))] = path.read_text()
    return files


def test_a_single_user_of_postgresql(lab, postgres):
    user = lab.name
    postgres.sql(f"CREATE ROLE \"{user}\" LOGIN PASSWORD 'first'")
    arn = lab.secret(postgres.secret(user, "first", note="kept"))
    function = lab.function(postgres_package(), "postgres.single_user")
    first, told = lab.rotate(function, RotationRules={"AutomaticallyAfterDays": 30})
    assert names(told) == ["RotationStarted", "RotationSucceeded"]
    asked = [(it["step"], it["secret"], it["token"], it["known"]) for it in lab.asked()]
    assert asked == [(it, arn, first, True) for it in STEPS]
    passwords = ["first"]
    for _ in range(2):
        value = json.loads(lab.value())
        assert value == postgres.secret(user, value["password"], note="kept")
        assert postgres.accepts(user, value["password"]) and not postgres.accepts(user, passwords[-1])
        passwords.append(value["password"])
        second, told = lab.rotate()
        assert names(told)[-1] == "RotationSucceeded"
    assert sorted(lab.stages()[second]) == ["AWSCURRENT", "AWSPENDING"]
    assert lab.secrets.describe_secret(SecretId=lab.name)["LastRotatedDate"]
    assert len(lab.asked()) == 12
    assert [it for it in passwords[1:] if lab.said(it)] == []
    assert any("pending" in it for it in lab.log()), "it did print"


def test_alternating_users_of_postgresql(lab, postgres):
    user = lab.name
    master = lab.secret(postgres.secret("postgres", postgres.password), name="master")
    postgres.sql(f"CREATE ROLE \"{user}\" LOGIN PASSWORD 'first'; CREATE TABLE \"{user}\" (); GRANT SELECT ON \"{user}\" TO \"{user}\"")
    lab.secret(postgres.secret(user, "first", masterarn=master))
    function = lab.function(postgres_package(), "postgres.alternating_users")
    before, users = json.loads(lab.value()), []
    for _ in range(3):
        _, told = lab.rotate(function)
        assert names(told)[-1] == "RotationSucceeded"
        value = json.loads(lab.value())
        users.append(value["username"])
        assert postgres.accepts(value["username"], value["password"], f'SELECT FROM "{user}"')
        assert postgres.accepts(before["username"], before["password"]), "whoever has the value before still gets in"
        before = value
    assert users == [f"{user}_clone", user, f"{user}_clone"]


@pytest.mark.parametrize("runtime, handler", [(PYTHON, "contract.handler"), ("nodejs20.x", "generic.handler")])
def test_the_generic_template(lab, runtime, handler):
    arn = lab.secret("first")
    function = lab.function(sources("contract.py", "generic.mjs"), handler, Runtime=runtime)
    version, told = lab.rotate(function)
    assert names(told) == ["RotationStarted", "RotationSucceeded"]
    assert [(it["step"], it["secret"], it["token"]) for it in lab.asked()] == [(it, arn, version) for it in STEPS]
    value = lab.value()
    assert lab.value(VersionStage="AWSPREVIOUS") == "first" != value
    assert lab.said(value) == [] and any("made" in it for it in lab.log())


def test_only_a_test_asks_for_one_step(lab):
    lab.secret("first")
    function = lab.function(sources("contract.py"), "contract.handler")
    rules = {"RotationRules": {"AutomaticallyAfterDays": 1}}
    version, told = lab.rotate(function, RotateImmediately=False, **rules)
    assert names(told) == ["TestRotationStarted", "TestRotationSucceeded"]
    assert [it["step"] for it in lab.asked()] == ["testSecret"]
    assert lab.value() == "first" and "AWSPENDING" not in lab.stages().get(version, [])


def test_a_failing_step(lab):
    arn = lab.secret("first")
    function = lab.function(sources("contract.py"), "contract.handler", Environment={"Variables": {"BROKEN": "1"}})
    version, told = lab.rotate(function)
    assert names(told) == ["RotationStarted", "RotationFailed"]
    failed = told[-1]
    assert failed["errorMessage"] == f"Error when executing lambda {function} during testSecret step"
    assert failed["additionalEventData"]["SecretId"] == arn
    assert failed["userIdentity"]["invokedBy"] == failed["sourceIPAddress"] == "secretsmanager.amazonaws.com"
    pending = lab.value(VersionId=version, VersionStage="AWSPENDING")
    assert lab.value() == "first" and lab.said(pending) == []

    lab.functions.update_function_configuration(FunctionName=lab.name, Environment={"Variables": {}})
    busy = refused(lambda: lab.secrets.rotate_secret(SecretId=lab.name), "InvalidRequestException")
    assert busy == "A previous rotation isn’t complete. That rotation will be reattempted."
    assert names(ended(lab.server, arn, version, ("Succeeded",)))[-1] == "RotationSucceeded"
    assert lab.value() == pending, "the same token, the same value"


def test_who_may_not_is_refused_and_nothing_is_stored(lab):
    lab.secret("first")
    function = lab.function(sources("contract.py"), "contract.handler", permitted=False)
    for named in (function, function + "-none"):
        rotate = lambda: lab.secrets.rotate_secret(SecretId=lab.name, RotationLambdaARN=named)  # noqa: E731, B023
        assert refused(rotate) == SHUT
    shown = lab.secrets.describe_secret(SecretId=lab.name)
    assert [it for it in shown if it.startswith("Rotation")] == [] and len(shown["VersionIdsToStages"]) == 1
    lab.permit()
    _, told = lab.rotate(function)
    assert names(told)[-1] == "RotationSucceeded"


def test_a_role_that_stops_trusting(lab):
    lab.secret("first")
    function = lab.function(sources("contract.py"), "contract.handler")
    nobody = policy({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}})
    lab.iam.update_assume_role_policy(RoleName=lab.role.rsplit("/", 1)[1], PolicyDocument=nobody)
    version, told = lab.rotate(function)
    assert told[-1]["errorMessage"] == f"Error when executing lambda {function} during createSecret step"
    assert "doesn't trust lambda" in lab.server.stderr.read_text()
    assert lab.value() == "first" and lab.stages()[version] == ["AWSPENDING"]


ROGUE = """
import os
def loop(event, context):
    while True: pass
def reach(event, context):
    found = {}
    for path in event["paths"]:
        try:
            open(path, "a").close()
            found[path] = "written"
        except OSError as error:
            found[path] = type(error).__name__
    return {"found": found, "seen": [it for it in event["paths"] if os.path.exists(it)]}
def leak(event, context):
    print("my key is " + os.environ["AWS_SECRET_ACCESS_KEY"])
    raise RuntimeError("my key is " + os.environ["AWS_SECRET_ACCESS_KEY"])
"""


def rogue(lab, handler, event, **more):
    lab.function({"rogue.py": ROGUE}, f"rogue.{handler}", **more)
    return lab.functions.invoke(FunctionName=lab.name, Payload=json.dumps(event), LogType="Tail")


def test_a_function_that_never_ends(lab):
    lab.secret("first")
    function = lab.function({"rogue.py": ROGUE}, "rogue.loop", Timeout=1)
    _, told = lab.rotate(function)
    assert told[-1]["errorMessage"] == f"Error when executing lambda {function} during createSecret step"
    answer = lab.functions.invoke(FunctionName=lab.name)
    assert answer["FunctionError"] == "Unhandled"
    assert "Task timed out after 1.00 seconds" in json.loads(answer["Payload"].read())["errorMessage"]


def test_a_function_reaches_no_file_of_the_server(lab):
    closed = [str(lab.server.data / "admin.sock"), str(lab.server.data / "x"), "/var/task/x", "/etc/x", "/usr/x"]
    answer = rogue(lab, "reach", {"paths": [*closed, "/tmp/x"]})
    said = json.loads(answer["Payload"].read())
    assert said["found"].pop("/tmp/x") == "written" and "written" not in said["found"].values()
    assert said["seen"] == ["/tmp/x"]


def test_a_function_that_tells_its_key(lab):
    answer = rogue(lab, "leak", {})
    assert answer["FunctionError"] == "Unhandled"
    told = json.loads(answer["Payload"].read())["errorMessage"]
    assert told == "my key is [hidden]"
    assert any("my key is [hidden]" in it for it in lab.log())


def test_a_function_runs_for_who_waits(lab):
    lab.function({"app.py": "def handler(event, context): return {'is': event['is'] + 1}"}, "app.handler")
    answer = lab.functions.invoke(FunctionName=lab.name, Payload=b'{"is": 1}')
    assert (answer["StatusCode"], answer.get("FunctionError")) == (200, None)
    assert json.loads(answer["Payload"].read()) == {"is": 2}
    event = lambda: lab.functions.invoke(FunctionName=lab.name, InvocationType="Event")  # noqa: E731
    assert "not supported" in refused(event, "InvalidParameterValueException")
