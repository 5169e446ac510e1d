"""Rotation: what the API says, and this server's own functions on a real PostgreSQL, through unmodified boto3."""

import datetime
import json
import secrets
import time
import uuid

import pytest
from botocore.exceptions import ClientError

import databases

FUNCTION = "arn:aws:lambda:us-east-1:{account}:function:{name}"
SINGLE = "SecretsManagerRDSPostgreSQLRotationSingleUser"
MULTI = "SecretsManagerRDSPostgreSQLRotationMultiUser"
NATIVE = "strongroom-native"


@pytest.fixture(scope="module")
def postgres():
    server = databases.Postgres().start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def client(server):
    return server.client("us-east-1")


def refused(call, **asked):
    with pytest.raises(ClientError) as caught:
        call(**asked)
    error = caught.value.response["Error"]
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    return error["Code"], error["Message"]


class Case:
    """A secret, and a role of the database that it says the password of."""

    def __init__(self, server, client, postgres, **more):
        self.client, self.postgres = client, postgres
        self.account = server.keys.account
        self.user = f"app-{secrets.token_hex(4)}"
        first = secrets.token_hex(8)
        postgres.sql(f"CREATE ROLE \"{self.user}\" LOGIN PASSWORD '{first}'")
        self.name = f"rotation/{self.user}"
        value = json.dumps(postgres.secret(self.user, first, **more))
        self.arn = client.create_secret(Name=self.name, SecretString=value)["ARN"]

    def described(self):
        return self.client.describe_secret(SecretId=self.name)

    def rotate(self, function=None, **more):
        if function:
            more["RotationLambdaARN"] = FUNCTION.format(account=self.account, name=function)
        return self.client.rotate_secret(SecretId=self.name, **more)["VersionId"]

    def value(self, **which):
        return json.loads(self.client.get_secret_value(SecretId=self.name, **which)["SecretString"])

    def works(self, **which):
        value = self.value(**which)
        return self.postgres.accepts(value["username"], value["password"])

    def wait(self, done):
        """Asks until `done` is true of what is described: nobody tells a client when a rotation ends."""
        deadline = time.monotonic() + 30
        while not done(shown := self.described()):
            assert time.monotonic() < deadline, shown
        return shown

    def rotated(self, version):
        return self.wait(lambda it: "AWSCURRENT" in it["VersionIdsToStages"].get(version, []) and "LastRotatedDate" in it)


@pytest.fixture
def case(server, client, postgres):
    return Case(server, client, postgres)


def master(client, postgres):
    value = json.dumps(postgres.secret("postgres", postgres.password))
    return client.create_secret(Name=f"rotation/master-{secrets.token_hex(4)}", SecretString=value)["ARN"]


def test_row_78_and_91_cancel(case):
    answer = case.client.cancel_rotate_secret(SecretId=case.name)
    assert (answer["ARN"], answer["Name"]) == (case.arn, case.name) and "VersionId" not in answer
    assert case.described()["RotationEnabled"] is False

    case.rotated(case.rotate(SINGLE, RotationRules={"AutomaticallyAfterDays": 30}))
    before = case.described()
    assert "NextRotationDate" in before
    case.client.cancel_rotate_secret(SecretId=case.name)
    after = case.described()
    assert after["RotationEnabled"] is False and "NextRotationDate" not in after
    for kept in ("RotationLambdaARN", "RotationRules", "LastRotatedDate", "VersionIdsToStages"):
        assert after[kept] == before[kept]
    # Rotation begins again with what is stored.
    case.rotated(case.rotate())


def test_rows_79_and_80_nothing_is_stored(case, server):
    assert refused(case.client.rotate_secret, SecretId=case.name) == (
        "InvalidRequestException",
        "No Lambda rotation function ARN is associated with this secret.",
    )
    shut = (
        "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants access "
        "to the principal secretsmanager.amazonaws.com."
    )
    other = "000000000000" if server.keys.account != "000000000000" else "999999999999"
    for arn in (
        FUNCTION.format(account=server.keys.account, name="nobody-made-this"),
        FUNCTION.format(account=other, name=SINGLE),
        FUNCTION.format(account=server.keys.account, name="SecretsManagerRDSDB2RotationSingleUser"),
        "no-arn",
    ):
        told = refused(case.client.rotate_secret, SecretId=case.name, RotationLambdaARN=arn)
        assert told == ("AccessDeniedException", shut), arn
    assert not {it for it in case.described() if it.startswith("Rotation")}


def test_rows_81_to_84_and_142_a_rotation(case):
    first = next(iter(case.described()["VersionIdsToStages"]))
    token = str(uuid.uuid4())
    asked = {"RotationRules": {"AutomaticallyAfterDays": 30}, "ClientRequestToken": token}
    today = datetime.datetime.now(datetime.UTC).date()
    assert case.rotate(SINGLE, **asked) == token
    at_once = case.described()
    assert at_once["RotationEnabled"] is True
    assert at_once["RotationRules"] == {"AutomaticallyAfterDays": 30}
    assert "AWSPENDING" in at_once["VersionIdsToStages"][token]
    after = case.rotated(token)
    assert after["VersionIdsToStages"] == {token: ["AWSCURRENT", "AWSPENDING"], first: ["AWSPREVIOUS"]}
    next_date = after["NextRotationDate"].astimezone(datetime.UTC)
    assert next_date.date() in (today + datetime.timedelta(days=30), today + datetime.timedelta(days=31))
    assert (next_date.hour, next_date.minute, next_date.second) == (23, 59, 59)
    assert case.works() and not case.works(VersionStage="AWSPREVIOUS")
    before, now = case.value(VersionStage="AWSPREVIOUS"), case.value()
    assert list(before) == list(now) and before | {"password": now["password"]} == now


def test_rows_85_and_139_what_is_stuck_is_told_and_tried_again(case, postgres):
    postgres.sql(f'ALTER ROLE "{case.user}" PASSWORD \'by hand\'')
    version = case.rotate(SINGLE)
    busy = ("InvalidRequestException", "A previous rotation isn’t complete. That rotation will be reattempted.")
    assert refused(case.client.rotate_secret, SecretId=case.name) == busy
    pending = {"SecretId": case.name, "VersionId": version, "VersionStage": "AWSPENDING"}
    code, _ = refused(case.client.get_secret_value, **pending)
    assert code == "ResourceNotFoundException", "the version has no value yet"
    assert case.rotate(ClientRequestToken=version) == version, "the same token is the same rotation"
    previous = case.value()["password"]
    postgres.sql(f"ALTER ROLE \"{case.user}\" PASSWORD '{previous}'")
    assert refused(case.client.rotate_secret, SecretId=case.name) == busy
    case.rotated(version)
    assert case.works()


def test_row_86_a_test_makes_a_copy(case):
    token = str(uuid.uuid4())
    rules = {"ScheduleExpression": "rate(10 days)"}
    case.rotate(SINGLE, RotateImmediately=False, RotationRules=rules, ClientRequestToken=token)
    shown = case.wait(lambda it: token not in it["VersionIdsToStages"])
    assert "LastRotatedDate" not in shown and "NextRotationDate" in shown
    assert case.value(VersionId=token) == case.value()
    assert case.works()


def test_row_87_an_expression(case):
    rules = {"ScheduleExpression": "cron(0 0 1 * ? *)", "Duration": "1h"}
    case.rotated(case.rotate(SINGLE, RotationRules=rules))
    shown = case.described()["RotationRules"]
    assert {it: shown[it] for it in rules} == rules
    assert 1 <= shown["AutomaticallyAfterDays"] <= 31
    found = case.client.list_secrets(Filters=[{"Key": "name", "Values": [case.name]}])["SecretList"]
    assert found[0]["RotationRules"] == shown and found[0]["RotationEnabled"] is True


@pytest.mark.parametrize(
    ("rules", "code", "message"),
    [
        (
            {"AutomaticallyAfterDays": 1, "ScheduleExpression": "rate(1 day)"},
            "InvalidParameterException",
            "You cannot specify both rotation frequency and schedule expression together.",
        ),
        ({"ScheduleExpression": "rate(3 hours)"}, "InvalidParameterException", "The rotation schedule expression is"),
        ({"ScheduleExpression": "cron(5 0 * * ? *)"}, "InvalidParameterException", "The rotation schedule expression is"),
        ({"ScheduleExpression": "cron(0 0 * * ? 2030)"}, "InvalidParameterException", "The rotation schedule"),
        ({"ScheduleExpression": "cron(0 0 31 2 ? *)"}, "InvalidParameterException", "The rotation schedule"),
        ({"ScheduleExpression": "rate(1 day)", "Duration": "25h"}, "InvalidParameterException", "The rotation schedule"),
        ({"AutomaticallyAfterDays": 1001}, "ValidationException", "1 validation error detected: Value '1001' at"),
        ({"ScheduleExpression": "rate(1_day)"}, "ValidationException", "1 validation error detected: Value 'rate(1_"),
    ],
)
def test_rows_88_to_90_rules_that_are_none(case, rules, code, message):
    asked = {"SecretId": case.name, "RotationLambdaARN": FUNCTION.format(account=case.account, name=SINGLE)}
    told = refused(case.client.rotate_secret, **asked, RotationRules=rules)
    assert told[0] == code and told[1].startswith(message), told
    assert "RotationEnabled" not in case.described()


def test_two_users_take_turns(server, client, postgres):
    case = Case(server, client, postgres, masterarn=master(client, postgres))
    postgres.sql(f'CREATE TABLE "of {case.user}" (x int); GRANT SELECT ON "of {case.user}" TO "{case.user}"')
    names = [case.user, f"{case.user}_clone", case.user, f"{case.user}_clone"]
    assert case.value()["username"] == names[0]
    for name, function in zip(names[1:], (MULTI, NATIVE, NATIVE)):
        case.rotated(case.rotate(function))
        value = case.value()
        assert value["username"] == name
        assert postgres.accepts(name, value["password"], f'SELECT * FROM "of {case.user}"')
        assert case.works(VersionStage="AWSPREVIOUS"), "who has the old value still gets in"


def test_a_value_put_by_hand_abandons(case, postgres):
    postgres.sql(f'ALTER ROLE "{case.user}" PASSWORD \'by hand\'')
    version = case.rotate(SINGLE)
    case.client.put_secret_value(SecretId=case.name, SecretString=json.dumps(postgres.secret(case.user, "by hand")))
    assert version not in case.described()["VersionIdsToStages"]
    case.rotated(case.rotate())
    assert case.works()


def test_the_function_is_asked_for(case, server):
    """The caller needs the function's permission beside the secret's."""
    iam = server.client("us-east-1", service="iam")
    iam.create_user(UserName=case.user)
    statement = {"Effect": "Allow", "Action": "secretsmanager:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=case.user, PolicyName="all", PolicyDocument=document)
    key = iam.create_access_key(UserName=case.user)["AccessKey"]
    import boto3

    limited = boto3.client(
        "secretsmanager", "us-east-1", endpoint_url=server.endpoint,
        aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"],
    )
    function = FUNCTION.format(account=case.account, name=SINGLE)
    code, message = refused(limited.rotate_secret, SecretId=case.name, RotationLambdaARN=function)
    assert code == "AccessDeniedException" and "lambda:InvokeFunction" in message
    assert "RotationEnabled" not in case.described()


def test_nobody_borrows_an_administrator(server, client, postgres):
    """Who may write a secret but not read the administrator's can't have this server use that."""
    boss = master(client, postgres)
    case = Case(server, client, postgres, masterarn=boss)
    iam = server.client("us-east-1", service="iam")
    iam.create_user(UserName=case.user)
    statements = [
        {"Effect": "Allow", "Action": ["secretsmanager:*", "lambda:InvokeFunction"], "Resource": "*"},
        {"Effect": "Deny", "Action": "secretsmanager:GetSecretValue", "Resource": boss},
    ]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_user_policy(UserName=case.user, PolicyName="all", PolicyDocument=document)
    key = iam.create_access_key(UserName=case.user)["AccessKey"]
    keys = type(server.keys)(server.keys.account, key["AccessKeyId"], key["SecretAccessKey"])
    limited = server.client("us-east-1", keys=keys)
    asked = {"SecretId": case.name, "RotationLambdaARN": FUNCTION.format(account=case.account, name=MULTI)}
    code, message = refused(limited.rotate_secret, **asked)
    assert code == "AccessDeniedException" and "secretsmanager:GetSecretValue" in message
    assert "RotationEnabled" not in case.described()
