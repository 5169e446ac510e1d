"""The part of Lambda that rotation needs, through unmodified boto3 and the AWS CLI."""

import base64
import hashlib
import io
import json
import zipfile

import pytest

from test_access import allow, policy, refused
from test_aws_cli import aws  # noqa: F401, a fixture

INVALID = "InvalidParameterValueException"
MISSING = "ResourceNotFoundException"
NATIVE = "SecretsManagerRDSPostgreSQLRotationSingleUser"


def package(**files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (files or {"app.py": "def handler(event, context): pass"}).items():
            archive.writestr(name, content)
    return out.getvalue()


def trust(service="lambda.amazonaws.com"):
    principal = {"Service": service}
    return policy({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal})


class World:
    """Clients of one Region, and a role that functions may have."""

    def __init__(self, server, region):
        self.server, self.region = server, region
        self.functions = server.client(region, service="lambda")
        self.iam = server.client(region, service="iam")
        self.role = self.new_role(f"fn-{region}")

    def new_role(self, name, **more):
        made = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(**more))
        return made["Role"]["Arn"]

    def members(self, name="app", **more):
        smallest = {
            "FunctionName": name,
            "Runtime": "python3.12",
            "Role": self.role,
            "Handler": "app.handler",
            "Code": {"ZipFile": package()},
        }
        return smallest | more

    def create(self, name="app", **more):
        return self.functions.create_function(**self.members(name, **more))

    def arn(self, name="app"):
        return f"arn:aws:lambda:{self.region}:{self.server.keys.account}:function:{name}"


@pytest.fixture
def world(server, region):
    return World(server, region)


def test_the_whole_life(world):
    functions = world.functions
    variables = {"Variables": {"ENDPOINT": "https://x", "TOKEN": "canary"}}
    made = world.create(Environment=variables, Timeout=30, Tags={"team": "a"})
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert made["FunctionArn"] == world.arn() and made["CodeSize"] == len(package())
    digest = hashlib.sha256(package()).digest()
    assert made["CodeSha256"] == base64.b64encode(digest).decode()
    functions.get_waiter("function_active_v2").wait(FunctionName="app")
    for name in ("app", world.arn(), f"{world.server.keys.account}:function:app", "app:$LATEST"):
        shown = functions.get_function(FunctionName=name)
        assert shown["Configuration"]["Environment"] == variables
        assert shown["Tags"] == {"team": "a"}
    changed = functions.update_function_configuration(
        FunctionName="app", MemorySize=256, RevisionId=made["RevisionId"]
    )
    assert (changed["MemorySize"], changed["Timeout"]) == (256, 30)
    functions.get_waiter("function_updated_v2").wait(FunctionName="app")
    code = functions.update_function_code(FunctionName="app", ZipFile=package(a="b"), Publish=False)
    assert code["CodeSha256"] != made["CodeSha256"]
    assert code["RevisionId"] not in (made["RevisionId"], changed["RevisionId"])
    assert functions.get_function_configuration(FunctionName="app")["RevisionId"] == code["RevisionId"]
    versions = functions.list_versions_by_function(FunctionName="app")["Versions"]
    assert [it["FunctionArn"] for it in versions] == [f"{world.arn()}:$LATEST"]
    assert "ReservedConcurrentExecutions" not in functions.get_function_concurrency(FunctionName="app")
    config = functions.get_function_code_signing_config(FunctionName="app")
    assert not config["CodeSigningConfigArn"]
    functions.tag_resource(Resource=world.arn(), Tags={"b": "c d"})
    functions.untag_resource(Resource=world.arn(), TagKeys=["team"])
    assert functions.list_tags(Resource=world.arn())["Tags"] == {"b": "c d"}
    functions.delete_function(FunctionName="app")
    message = refused(lambda: functions.get_function(FunctionName="app"), MISSING)
    assert message == f"Function not found: {world.arn()}"


def test_permissions(world, stranger):
    functions = world.functions
    world.create()
    none = refused(lambda: functions.get_policy(FunctionName="app"), MISSING)
    assert none == "The resource you requested does not exist."
    permission = {
        "FunctionName": "app",
        "StatementId": "rotation",
        "Action": "lambda:InvokeFunction",
        "Principal": "secretsmanager.amazonaws.com",
        "SourceAccount": world.server.keys.account,
    }
    statement = json.loads(functions.add_permission(**permission)["Statement"])
    assert statement == {
        "Sid": "rotation",
        "Effect": "Allow",
        "Principal": {"Service": "secretsmanager.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": world.arn(),
        "Condition": {"StringEquals": {"AWS:SourceAccount": world.server.keys.account}},
    }
    kept = functions.get_policy(FunctionName="app")
    assert json.loads(kept["Policy"])["Statement"] == [statement]
    refused(lambda: functions.add_permission(**permission), "ResourceConflictException")
    late = permission | {"StatementId": "b", "RevisionId": "old"}
    refused(lambda: functions.add_permission(**late), "PreconditionFailedException")
    nobody = permission | {"StatementId": "b", "Principal": world.role + "-none"}
    assert "principal was invalid" in refused(lambda: functions.add_permission(**nobody), INVALID)

    theirs = world.server.client(world.region, service="lambda", keys=stranger)
    read = lambda: theirs.get_function_configuration(FunctionName=world.arn())  # noqa: E731
    refused(read)
    functions.add_permission(
        FunctionName="app",
        StatementId="theirs",
        Action="lambda:GetFunctionConfiguration",
        Principal=stranger.account,
    )
    assert read()["FunctionName"] == "app"
    for sid in ("rotation", "theirs"):
        functions.remove_permission(FunctionName="app", StatementId=sid)
    refused(lambda: functions.remove_permission(FunctionName="app", StatementId="b"), MISSING)
    refused(read)


def test_what_is_refused(world):
    functions = world.functions
    world.create("there")
    made = lambda **more: lambda: world.create(**more)  # noqa: E731
    role = world.new_role(f"ec2-{world.region}", service="ec2.amazonaws.com")
    zipped = lambda it: {"ZipFile": it}  # noqa: E731
    escape = package(**{"../app.py": ""})
    for code, word, call in [
        (INVALID, "cannot be assumed by Lambda", made(Role=role)),
        (INVALID, "cannot be assumed by Lambda", made(Role=world.role + "x")),
        (INVALID, "unzip", made(Code=zipped(b"no zip"))),
        (INVALID, "unzip", made(Code=zipped(escape))),
        (INVALID, "non-empty", made(Code=zipped(b"PK\5\6" + bytes(18)))),
        (INVALID, "S3", made(Code={"S3Bucket": "bucket", "S3Key": "key"})),
        (INVALID, "PackageType", made(PackageType="Image")),
        (INVALID, "VpcConfig", made(VpcConfig={"SubnetIds": ["subnet-1"]})),
        (INVALID, "AWS_REGION", made(Environment={"Variables": {"AWS_REGION": "x"}})),
        ("ResourceConflictException", "already exist", made(name="there")),
        ("ResourceConflictException", "native", made(name=NATIVE)),
        ("ValidationException", "timeout", made(Timeout=901)),
        (MISSING, "not found", lambda: functions.get_function(FunctionName="there", Qualifier="7")),
        (MISSING, "not reachable", lambda: functions.get_function(
            FunctionName=world.arn("there").replace(world.region, "eu-none-1"))),
    ]:  # fmt: skip
        assert word in refused(call, code)
    assert [it["FunctionName"] for it in functions.list_functions()["Functions"]][0] == "there"


def test_native_functions_answer(world):
    functions = world.functions
    assert functions.get_function(FunctionName=NATIVE)["Configuration"]["FunctionArn"]
    text = functions.get_policy(FunctionName=world.arn(NATIVE))["Policy"]
    assert "secretsmanager.amazonaws.com" in text
    refused(lambda: functions.delete_function(FunctionName=NATIVE), "ResourceConflictException")
    assert "rotation engine" in refused(lambda: functions.invoke(FunctionName=NATIVE), INVALID)
    pages = functions.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 3})
    names = [it["FunctionName"] for it in pages.build_full_result()["Functions"]]
    assert NATIVE in names and names[-1] == "strongroom-native" and len(set(names)) == len(names)


def test_invocations_are_checked_before_they_run(world):
    functions = world.functions
    world.create()
    dry = functions.invoke(FunctionName="app", InvocationType="DryRun", Payload=b"{}")
    assert dry["StatusCode"] == 204
    bad = lambda: functions.invoke(FunctionName="app", Payload=b"{")  # noqa: E731
    refused(bad, "InvalidRequestContentException")
    assert functions.invoke(FunctionName="app", Payload=b"{}")["StatusCode"] == 200
    # Nothing keeps events: who doesn't wait is told so.
    event = lambda: functions.invoke(FunctionName="app", InvocationType="Event")  # noqa: E731
    assert "InvocationType Event is not supported" in refused(event, INVALID)


def test_policies_decide(world, name):
    world.create()
    world.create("other")
    world.iam.create_user(UserName=name)
    key = world.iam.create_access_key(UserName=name)["AccessKey"]
    keys = type(world.server.keys)(
        world.server.keys.account, key["AccessKeyId"], key["SecretAccessKey"]
    )
    client = world.server.client(world.region, service="lambda", keys=keys)
    put = lambda *it: world.iam.put_user_policy(  # noqa: E731
        UserName=name, PolicyName="p", PolicyDocument=policy(*it)
    )
    refused(lambda: client.list_functions())
    put(allow("lambda:Get*", world.arn()))
    client.get_function(FunctionName="app")
    refused(lambda: client.get_function(FunctionName="other"))
    refused(lambda: client.get_function(FunctionName="none"))
    put(allow("lambda:*"))
    refused(lambda: client.create_function(**world.members("new")))
    condition = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
    put(allow("lambda:*"), allow("iam:PassRole", world.role, Condition=condition))
    client.create_function(**world.members("new"))


@pytest.fixture
def name(region):
    return f"u-{region}"


def test_a_large_package_and_no_larger(world):
    noise = hashlib.shake_256(b"x").digest(6 << 20)
    made = world.create(Code={"ZipFile": package(noise=noise)})
    assert made["CodeSize"] > 6 << 20
    zeros = package(zeros=bytes((250 << 20) + 1))
    message = refused(lambda: world.create("bomb", Code={"ZipFile": zeros}), INVALID)
    assert message == "Unzipped size must be smaller than 262144000 bytes"


def test_records_have_lambdas_names_and_no_secrets(world):
    variables = {"Variables": {"TOKEN": "canary-of-a-function"}}
    world.create(Environment=variables)
    world.functions.update_function_configuration(FunctionName="app", Environment=variables)
    world.functions.invoke(
        FunctionName="app", InvocationType="DryRun", Payload=b'"canary-of-a-payload"'
    )
    lines = b"".join(it.read_bytes() for it in sorted(world.server.data.rglob("*")) if it.is_file())
    for event in ("CreateFunction20150331", "UpdateFunctionConfiguration20150331v2", "Invoke"):
        assert f'"eventName":"{event}"'.encode() in lines
    assert b"canary-of-a" not in lines


def test_the_aws_cli(aws, server, region, tmp_path):  # noqa: F811
    role = World(server, region).role
    path = tmp_path / "code.zip"
    path.write_bytes(package())
    made = aws(
        "lambda", "create-function", "--function-name", "cli", "--runtime", "python3.12",
        "--role", role, "--handler", "app.handler", "--zip-file", f"fileb://{path}",
    )  # fmt: skip
    assert made["State"] == "Active"
    named = ["--function-name", "cli"]
    aws("lambda", "wait", "function-active-v2", *named)
    aws(
        "lambda", "add-permission", *named, "--statement-id", "s", "--action",
        "lambda:InvokeFunction", "--principal", "secretsmanager.amazonaws.com",
    )  # fmt: skip
    assert "secretsmanager" in aws("lambda", "get-policy", *named)["Policy"]
    aws("lambda", "update-function-code", *named, "--zip-file", f"fileb://{path}")
    assert aws("lambda", "list-functions", "--max-items", "1")["Functions"]
    aws("lambda", "delete-function", *named)
