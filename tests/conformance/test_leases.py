"""Dynamic secrets: each reader has a database user of its own for a while, on a real PostgreSQL and MariaDB."""

import concurrent.futures
import contextlib
import json
import threading
import time

import botocore.exceptions
import pytest

from databases import MariaDb, Postgres
from strongroom import Keys, Server
from test_access import refused

DYNAMIC = "StrongroomDynamicDatabase"
ENGINES = {"postgres": Postgres, "mariadb": MariaDb}
SETUP = {
    "postgres": "CREATE TABLE shown AS SELECT 1 AS a; CREATE ROLE readonly; GRANT SELECT ON shown TO readonly",
    "mariadb": "CREATE DATABASE d; CREATE TABLE d.shown AS SELECT 1 AS a; CREATE ROLE readonly; GRANT SELECT ON d.* TO readonly",
}
ALLOWED = {"postgres": "SELECT * FROM shown", "mariadb": "SELECT * FROM d.shown"}
FORBIDDEN = {"postgres": "DELETE FROM shown", "mariadb": "DELETE FROM d.shown"}
SLOW = {
    "postgres": "SELECT count(*) FROM (SELECT generate_series(1, 1000000000000)) AS it",
    "mariadb": "SELECT BENCHMARK(1000000000000, MD5('it'))",
}
USERS = {
    "postgres": "SELECT count(*) FROM pg_roles WHERE rolname = '{}'",
    "mariadb": "SELECT count(*) FROM mysql.user WHERE User = '{}'",
}


@pytest.fixture(scope="module", params=ENGINES)
def engine(request):
    database = ENGINES[request.param]()
    try:
        database.start()
        database.name = request.param
        database.sql(SETUP[request.param])
        yield database
    finally:
        database.stop()


@pytest.fixture
def leased(server, region, engine):
    with contextlib.closing(Leased(server, region, engine)) as made:
        yield made


class Leased:
    """A dynamic secret `leased` of a database, and its administrator's secret."""

    def __init__(self, server, region, database, port=None, **more):
        self.server, self.region, self.database = server, region, database
        self.client = server.client(region)
        admin = "postgres" if database.name == "postgres" else "admin"
        master = database.secret(admin, database.password, ssl=False) | ({"port": port} if port else {})
        arn = self.client.create_secret(Name="master", SecretString=json.dumps(master))["ARN"]
        where = {it: master[it] for it in ("engine", "host", "port", "dbname", "ssl") if it in master}
        self.template = {**where, "masterarn": arn, "roles": ["readonly"], "default_ttl": "10m", **more}
        made = self.client.create_secret(Name="leased", Type=DYNAMIC, SecretString=json.dumps(self.template))
        self.arn = made["ARN"]

    def put(self, **more):
        self.client.put_secret_value(SecretId="leased", SecretString=json.dumps(self.template | more))

    def read(self, client=None):
        return json.loads((client or self.client).get_secret_value(SecretId="leased")["SecretString"])

    def accepts(self, value, statements="SELECT 1"):
        return self.database.accepts(value["username"], value["password"], statements)

    def exists(self, value):
        return self.database.sql(USERS[self.database.name].format(value["username"])) != "0"

    def until_gone(self, *values, seconds=30):
        deadline = time.monotonic() + seconds
        while any(map(self.exists, values)):
            assert time.monotonic() < deadline, self.run("list").stdout

    def run(self, verb, *arguments, check=True):
        return self.server.run("lease", verb, *arguments, check=check)

    def listed(self):
        place = ("--account", self.server.keys.account, "--region", self.region)
        return json.loads(self.run("list", "leased", *place, "--json").stdout)["Leases"]

    def close(self):
        for name in ("leased", "master"):
            with contextlib.suppress(self.client.exceptions.ResourceNotFoundException):
                if name == "master":
                    deadline = time.monotonic() + 30
                    # Who removes the users needs it.
                    while self.arn in self.run("list", "--json").stdout:
                        assert time.monotonic() < deadline
                self.client.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)


def events(server, name):
    lines = server.run("trail", "tail", "--json", "--event", name).stdout.splitlines()
    return [json.loads(it) for it in lines]


def user(leased, name):
    """The keys of a user who may read the secret, and do nothing else."""
    iam = leased.server.client("us-east-1", service="iam")
    iam.create_user(UserName=name)
    allowed = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": leased.arn}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_user_policy(UserName=name, PolicyName="read", PolicyDocument=document)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return Keys(leased.server.keys.account, key["AccessKeyId"], key["SecretAccessKey"])


def test_a_reader_has_a_user_that_may_what_its_role_may(leased):
    answered = leased.client.get_secret_value(SecretId="leased")
    value = json.loads(answered["SecretString"])
    assert answered["VersionStages"] == ["AWSCURRENT"] and answered["VersionId"] == value["lease_id"]
    assert {"engine", "host", "port", "username", "password", "lease_expires"} <= value.keys()
    assert "masterarn" not in value
    name = leased.database.name
    assert leased.accepts(value, ALLOWED[name]) and not leased.accepts(value, FORBIDDEN[name])
    assert leased.read() == value
    assert leased.client.describe_secret(SecretId="leased")["Type"] == DYNAMIC
    [created] = [it for it in events(leased.server, "LeaseCreated") if value["lease_id"] in json.dumps(it)]
    told = created["additionalEventData"]
    assert (told["Username"], told["SecretId"]) == (value["username"], leased.arn)
    assert value["password"] not in json.dumps(created)


def test_each_principal_has_its_own_and_many_at_once_have_one(leased):
    keys = [user(leased, f"reader-{leased.region}-{it}") for it in range(3)]
    clients = [leased.server.client(leased.region, keys=it) for it in keys for _ in range(3)]
    with concurrent.futures.ThreadPoolExecutor(len(clients)) as pool:
        values = list(pool.map(leased.read, clients))
    assert len({json.dumps(it) for it in values}) == 3
    assert all(leased.accepts(it) for it in values[::3])
    assert len(leased.listed()) == 3
    with pytest.raises(leased.client.exceptions.ClientError, match="AccessDenied"):
        clients[0].get_secret_value(SecretId="master")


def test_a_lease_ends_with_its_connections(leased):
    leased.put(default_ttl="5s")
    value = leased.read()
    assert leased.accepts(value)
    slow = threading.Thread(target=leased.accepts, args=(value, SLOW[leased.database.name]))
    slow.start()
    leased.until_gone(value)
    slow.join(timeout=30)
    assert not slow.is_alive() and not leased.accepts(value)
    other = leased.read()
    assert other["username"] != value["username"] and leased.accepts(other)
    assert value["lease_id"] in json.dumps(events(leased.server, "LeaseExpired"))


def test_an_operator_sees_renews_and_ends_leases(leased):
    value = leased.read()
    table = leased.run("list").stdout.splitlines()
    assert table[0].split() == ["LEASE", "SECRET", "PRINCIPAL", "USER", "STATE", "EXPIRES", "PROBLEM"]
    assert any(value["lease_id"] in it and value["username"] in it and "Active" in it for it in table)
    assert value["password"] not in leased.run("list", "--json").stdout
    later = leased.run("renew", value["lease_id"], "--ttl", "2h").stdout.strip()
    assert later > value["lease_expires"] and leased.read()["lease_expires"] == later
    assert leased.accepts(value)
    assert value["lease_id"] in json.dumps(events(leased.server, "LeaseRenewed"))
    assert "no time" in leased.run("renew", value["lease_id"], "--ttl", "soon", check=False).stderr

    assert "end now: 1" in leased.run("revoke", value["lease_id"]).stderr
    leased.until_gone(value)
    assert leased.run("revoke", "nothing", check=False).returncode == 3
    place = ("--account", leased.server.keys.account, "--region", leased.region)
    second = leased.read()
    leased.run("revoke", "--secret", "leased", *place)
    leased.until_gone(second)
    third = leased.read()
    principal = leased.listed()[-1]["PrincipalArn"]
    leased.run("revoke", "--principal", principal)
    leased.until_gone(third)
    for name in ("RevokeLease", "LeaseRevoked"):
        assert third["lease_id"] in json.dumps(events(leased.server, name)), name


def test_leases_end_with_their_secret_and_their_template(leased):
    first = leased.read()
    leased.put(roles=["readonly"], default_ttl="20m")
    leased.until_gone(first)
    second = leased.read()
    assert leased.accepts(second)
    leased.client.delete_secret(SecretId="leased")
    leased.until_gone(second)
    leased.client.restore_secret(SecretId="leased")
    assert leased.accepts(leased.read())


def test_what_cant_be_made_is_told(leased):
    leased.put(roles=["no such\"; DROP ROLE readonly; --`"])
    with pytest.raises(leased.client.exceptions.InvalidRequestException, match="user can.t be made"):
        leased.read()
    leased.put(masterarn=leased.arn)
    with pytest.raises(leased.client.exceptions.InvalidRequestException, match="database user can't be made"):
        leased.read()
    for wrong in ({"roles": []}, {"max_ttl": "1s"}, {"username_template": "x"}, {"masterarn": "arn:aws:s3:::x"}):
        with pytest.raises(leased.client.exceptions.InvalidParameterException):
            leased.put(**wrong)
    leased.put()
    assert leased.accepts(leased.read(), ALLOWED[leased.database.name])


def test_borrowing_takes_both_locks_and_means_the_owners_secret(leased, stranger):
    """Whoever brings a template into force may read the administrator's secret: by its policies, by its key, and the
    one that the server would use, whatever the caller's own account calls so."""
    server, region = leased.server, leased.region
    kms, iam = server.client(region, service="kms"), server.client(region, service="iam")
    principals = [f"arn:aws:iam::{it}:root" for it in (server.keys.account, stranger.account)]
    allow = {"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Principal": {"AWS": principals}}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    key = kms.create_key(Policy=document)["KeyMetadata"]["Arn"]
    value = leased.client.get_secret_value(SecretId="master")["SecretString"]
    locked = leased.client.create_secret(Name="locked", SecretString=value, KmsKeyId=key)["ARN"]

    user = f"half-{region}"
    iam.create_user(UserName=user)
    statements = [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "kms:Decrypt", "Resource": key},
    ]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_user_policy(UserName=user, PolicyName="all", PolicyDocument=document)
    made = iam.create_access_key(UserName=user)["AccessKey"]
    half = Keys(server.keys.account, made["AccessKeyId"], made["SecretAccessKey"])
    template = json.dumps(leased.template | {"masterarn": locked})
    client = server.client(region, keys=half)
    refused(lambda: client.put_secret_value(SecretId="leased", SecretString=template))
    leased.client.put_secret_value(SecretId="leased", SecretString=template)

    shared = leased.client.create_secret(Name="shared", SecretString="x", KmsKeyId=key)["ARN"]
    allow = {"Effect": "Allow", "Action": "secretsmanager:*", "Resource": "*"}
    allow |= {"Principal": {"AWS": stranger.account}}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    leased.client.put_resource_policy(SecretId=shared, ResourcePolicy=document)
    theirs = server.client(region, keys=stranger)
    theirs.create_secret(Name="master", SecretString=value)
    for name in ("master", leased.template["masterarn"]):
        template = json.dumps(leased.template | {"masterarn": name})
        with pytest.raises(botocore.exceptions.ClientError) as caught:
            theirs.update_secret(SecretId=shared, SecretString=template, Type=DYNAMIC)
        assert caught.value.response["Error"]["Code"] == "AccessDeniedException", name
    leased.put()


def test_a_database_that_is_away_is_asked_until_the_user_is_gone(leased):
    value = leased.read()
    leased.database.crash()
    try:
        leased.run("revoke", value["lease_id"])
        with pytest.raises(botocore.exceptions.ClientError, match="database user"):
            leased.read()
        deadline = time.monotonic() + 30
        while "removeUser" not in leased.run("list").stdout:
            assert time.monotonic() < deadline
    finally:
        leased.database.start()
    leased.until_gone(value, seconds=60)
    assert value["lease_id"] in json.dumps(events(leased.server, "LeaseRemovalFailed"))


def test_killed_while_a_user_is_made(tmp_path, engine):
    """Before each message between the server and the database it is killed. Nobody's user outlives its lease."""
    from test_rotation_killed import Wire

    wire, server = Wire(engine.port), Server(tmp_path)
    server.start()
    try:
        leased = Leased(server, "us-east-1", engine, port=wire.port, default_ttl="5s")
        before = all_users(engine)
        for number in range(1, 400, 4):
            wire.arm(number, server.process.kill)
            with contextlib.suppress(botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError):
                assert leased.accepts(leased.read())
            if not wire.disarm():
                break
            server.process.wait()
            server.process = None
            server.start()
            leased.client = server.client("us-east-1")
            assert leased.accepts(leased.read()), server.stderr.read_text()[-4000:]
            leased.client.put_secret_value(SecretId="leased", SecretString=json.dumps(leased.template))
        assert number > 10, "making a user is more than that many messages"
        deadline = time.monotonic() + 60
        # The server forgets a user after the database has.
        while json.loads(server.run("lease", "list", "--json").stdout)["Leases"]:
            assert time.monotonic() < deadline, server.run("lease", "list").stdout
        assert all_users(engine) == before
    finally:
        server.stop()
        wire.close()


def all_users(engine):
    tables = {"postgres": "SELECT rolname FROM pg_roles ORDER BY 1", "mariadb": "SELECT User FROM mysql.user ORDER BY 1"}
    return engine.sql(tables[engine.name])
