"""Rotation of a real MongoDB by this server's own functions, through unmodified boto3: both strategies."""

import json
import secrets
import time

import pytest

import databases
from authority import Authority

FUNCTION = "arn:aws:lambda:us-east-1:{account}:function:SecretsManagerMongoDBRotation{name}"
ROUNDS = 4

pytestmark = pytest.mark.skipif(not databases.Mongo.is_here(), reason="NOT TRIED: no MongoDB could be fetched here")


# Nobody may change the own password without being given the right to.
OWN = {
    "role": "own",
    "roles": [],
    "privileges": [{"resource": {"db": "shop", "collection": ""}, "actions": ["changeOwnPassword", "find"]}],
}


@pytest.fixture(scope="module")
def mongo():
    database = databases.Mongo().start()
    try:
        database.run(f"db.getSiblingDB('shop').createRole({json.dumps(OWN)})")
        yield database
    finally:
        database.stop()


class Case:
    """A secret, and a user of the database `shop` that it says the password of."""

    def __init__(self, server, mongo, roles, **more):
        self.client, self.mongo, self.server = server.client("us-east-1"), mongo, server
        self.user, first = f"app-{secrets.token_hex(4)}", secrets.token_hex(8)
        made = {"user": self.user, "pwd": first, "roles": roles}
        mongo.run(f"db.getSiblingDB('shop').createUser({json.dumps(made)})")
        self.name = f"mongo/{self.user}"
        value = mongo.secret(self.user, first, dbname="shop", **more)
        self.client.create_secret(Name=self.name, SecretString=json.dumps(value))

    def rotate(self, name, wait=True):
        """Rotates, and says what is stored then."""
        arn = FUNCTION.format(account=self.server.keys.account, name=name)
        version = self.client.rotate_secret(SecretId=self.name, RotationLambdaARN=arn)["VersionId"]
        if not wait:
            return None
        deadline = time.monotonic() + 30
        # Nobody tells a client when a rotation ends.
        while "AWSCURRENT" not in (shown := self.described())["VersionIdsToStages"].get(version, []):
            assert time.monotonic() < deadline, shown
        return self.value()

    def described(self):
        return self.client.describe_secret(SecretId=self.name)

    def value(self):
        return json.loads(self.client.get_secret_value(SecretId=self.name)["SecretString"])

    def works(self, value, script="db.getSiblingDB('shop').ledger.findOne()"):
        return self.mongo.accepts(value["username"], value["password"], script, database="shop")


@pytest.fixture
def master(server, mongo):
    value = json.dumps(mongo.secret("admin", mongo.password))
    name = f"mongo/master-{secrets.token_hex(4)}"
    return server.client("us-east-1").create_secret(Name=name, SecretString=value)["ARN"]


def test_a_single_user_changes_its_own_password(server, mongo):
    case = Case(server, mongo, ["own"])
    before = case.value()
    for _ in range(ROUNDS):
        after = case.rotate("SingleUser")
        assert after["username"] == case.user and after["password"] != before["password"]
        assert case.works(after) and not case.works(before)
        before = after


def test_an_administrator_changes_it_for_who_may_not(server, mongo, master):
    case = Case(server, mongo, ["read"], masterarn=master)
    before = case.value()
    after = case.rotate("SingleUser")
    assert after["username"] == case.user and case.works(after) and not case.works(before)


def test_two_users_take_turns_and_have_the_same_roles(server, mongo, master):
    case = Case(server, mongo, ["read"], masterarn=master)
    users, before = [case.user, f"{case.user}_clone"], case.value()
    for turn in range(1, ROUNDS + 1):
        after = case.rotate("MultiUser")
        assert after["username"] == users[turn % 2]
        # Who still has the old value gets in as well.
        assert case.works(after) and case.works(before)
        before = after
    case.rotate("MultiUser")
    change = f"updateUser({json.dumps(case.user)}, {{roles: []}})"
    mongo.run(f"db.getSiblingDB('shop').{change}")
    case.rotate("MultiUser")
    after = case.rotate("MultiUser")
    assert after["username"] == users[1] and case.works(after, "1") and not case.works(after), "rights are taken, too"


def test_a_plan_tells_what_is_missing(server, mongo):
    case = Case(server, mongo, ["read"])
    case.rotate("SingleUser", wait=False)
    place = ("--account", server.keys.account, "--region", "us-east-1")
    told = server.run("rotation", "plan", case.name, *place, check=False)
    assert told.returncode == 1
    assert "may not change its own password" in told.stdout and "changeOwnPassword" in told.stdout
    assert f'updateUser": "{case.user}"' in told.stdout
    assert case.works(case.value())


def test_who_is_not_believed_hears_nothing(server, tmp_path):
    database = databases.Mongo(Authority(tmp_path / "ca")).start()
    try:
        database.run(f"db.getSiblingDB('shop').createRole({json.dumps(OWN)})")
        case = Case(server, database, ["own"])
        before = case.value()
        case.rotate("SingleUser", wait=False)
        place = ("--account", server.keys.account, "--region", "us-east-1")
        told = server.run("rotation", "plan", case.name, *place, check=False)
        assert told.returncode == 1 and "isn't believed" in told.stdout, told.stdout
        assert case.value() == before and case.works(before)
    finally:
        database.stop()
