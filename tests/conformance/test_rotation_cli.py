"""`strongroom rotation`: an operator's view of rotations, on a real PostgreSQL."""

import contextlib
import json
import time

import pytest

from authority import Authority
from databases import Postgres, free_port

NATIVE = "arn:aws:lambda:{}:{}:function:SecretsManagerRDSPostgreSQLRotation{}User"


@pytest.fixture(scope="module")
def postgres(tmp_path_factory):
    database = Postgres(Authority(tmp_path_factory.mktemp("authority") / "ca"))
    try:
        yield database.start()
    finally:
        database.stop()


@pytest.fixture
def secrets(server, region, postgres):
    """Makes users of the database, each with a secret; those are gone after the test."""
    with contextlib.closing(Secrets(server, region, postgres)) as made:
        yield made


class Secrets:
    def __init__(self, server, region, postgres):
        self.server, self.region, self.postgres = server, region, postgres
        self.client = server.client(region)
        self.made = []

    def put(self, name, value):
        self.made.append(name)
        return self.client.create_secret(Name=name, SecretString=json.dumps(value))["ARN"]

    def user(self, name, **more):
        """A login of its own, not protected by TLS, as nobody vouches for the server's certificate."""
        self.postgres.sql(f"CREATE ROLE {name} LOGIN PASSWORD 'first'")
        return self.put(name, self.postgres.secret(name, "first", ssl=False, **more))

    def master(self):
        login = self.postgres.secret("postgres", self.postgres.password, ssl=False)
        return self.put(f"master-{len(self.made)}", login)

    def schedule(self, name, strategy="Single", immediately=False):
        rules = {"AutomaticallyAfterDays": 30}
        function = NATIVE.format(self.region, self.server.keys.account, strategy)
        told = self.client.rotate_secret(
            SecretId=name, RotationLambdaARN=function, RotationRules=rules, RotateImmediately=immediately
        )
        # The test that comes with a schedule ends by itself.
        deadline = time.monotonic() + 30
        while self.status(name)["Job"]:
            assert time.monotonic() < deadline, self.status(name)
        return told["VersionId"]

    def run(self, verb, *arguments, check=True):
        place = ("--account", self.server.keys.account, "--region", self.region)
        return self.server.run("rotation", verb, *arguments, *place, check=check)

    def status(self, name):
        return json.loads(self.run("status", name, "--json").stdout)["Secrets"][0]

    def password(self, name):
        return json.loads(self.client.get_secret_value(SecretId=name)["SecretString"])["password"]

    def close(self):
        for name in self.made:
            self.client.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)


def events(server, name):
    lines = server.run("trail", "tail", "--json", "--event", name).stdout.splitlines()
    return [json.loads(it) for it in lines]


def test_status_shows_what_rotates_and_names_the_rest(secrets):
    secrets.user("shown")
    secrets.user("hidden")
    secrets.schedule("shown")
    secrets.schedule("hidden")
    secrets.client.cancel_rotate_secret(SecretId="hidden")

    table = secrets.run("status").stdout.splitlines()
    assert table[0].split() == ["NAME", "FUNCTION", "LAST", "ROTATED", "NEXT", "PROBLEM"]
    rows = {it.split()[0]: it for it in table[1:]}
    assert "SecretsManagerRDSPostgreSQLRotationSingleUser" in rows["shown"]
    assert "hidden" not in rows
    assert "cancelled" in secrets.run("status", "hidden").stdout

    told = secrets.status("shown")
    assert (told["State"], told["Overdue"], told["Enabled"]) == ("scheduled", False, True)
    assert told["NextAt"] <= told["NextBy"]
    assert ["AWSCURRENT"] in told["Versions"].values()


def test_what_isnt_there_is_told(secrets):
    done = secrets.run("status", "nowhere", check=False)
    assert (done.returncode, done.stdout) == (3, "")
    assert "there is no secret `nowhere`" in done.stderr and "hint: " in done.stderr


def test_a_plan_tells_what_would_run_and_changes_nothing(secrets):
    secrets.user("planned")
    secrets.schedule("planned")
    before = secrets.status("planned")
    done = secrets.run("plan", "planned")
    assert done.returncode == 0 and "✗" not in done.stdout, done.stdout
    assert "✓ `planned` logs in at localhost:" in done.stdout
    assert 'ALTER ROLE "planned" PASSWORD <password>' in done.stdout
    assert "first" not in done.stdout
    assert secrets.status("planned") == before
    assert secrets.postgres.accepts("planned", "first")


@pytest.mark.parametrize(
    "change, fact",
    [
        ({"password": "wrong"}, "can't log in"),
        ({"port": None}, "can't log in"),
        ({"engine": "none"}, "the secret's `engine` is `none`"),
        ({"ssl": True}, "can't log in"),
    ],
    ids=["password", "server", "engine", "tls"],
)
def test_a_plan_tells_what_is_missing(secrets, change, fact):
    if "port" in change:
        change = {"port": free_port()}
    name = "lacking_" + "_".join(change)
    secrets.user(name)
    secrets.schedule(name)
    value = secrets.postgres.secret(name, "first", ssl=False) | change
    secrets.client.put_secret_value(SecretId=name, SecretString=json.dumps(value))
    done = secrets.run("plan", name, check=False)
    missing = [it for it in done.stdout.splitlines() if it.startswith("✗")]
    assert done.returncode == 1 and len(missing) == 1 and fact in missing[0], done.stdout
    assert "  hint: " in done.stdout


def test_a_plan_for_alternating_users_asks_for_the_administrator(secrets):
    secrets.user("alternating", masterarn=secrets.master())
    secrets.schedule("alternating", "Multi")
    done = secrets.run("plan", "alternating")
    assert "✓ the administrator `postgres` logs in" in done.stdout
    assert 'CREATE ROLE "alternating_clone"' in done.stdout and "<password>" in done.stdout
    assert secrets.postgres.password not in done.stdout
    assert not secrets.postgres.sql("SELECT 1 FROM pg_roles WHERE rolname = 'alternating_clone'")

    secrets.user("masterless")
    secrets.schedule("masterless", "Multi")
    done = secrets.run("plan", "masterless", check=False)
    assert done.returncode == 1 and "✗ the value has no `masterarn`" in done.stdout


def test_watch_follows_to_the_end(secrets):
    secrets.user("watched")
    secrets.schedule("watched")
    assert "nothing is under way" in secrets.run("watch", "watched").stderr
    # Nobody answers: the rotation goes on until the watch has begun.
    secrets.postgres.crash()
    version = secrets.client.rotate_secret(SecretId="watched")["VersionId"]
    deadline = time.monotonic() + 30
    while not secrets.status("watched")["Problem"]:
        assert time.monotonic() < deadline
    told = secrets.status("watched")
    assert told["State"] == "retrying" and not told["Problem"]["Operator"]
    secrets.postgres.start()
    done = secrets.run("watch", "watched")
    assert f"version {version}: AWSPENDING" in done.stdout and done.stdout.endswith("rotated\n")
    assert "failed in " in done.stdout
    password = secrets.password("watched")
    assert len(password) == 32 and secrets.postgres.accepts("watched", password)


def test_watch_fails_where_only_an_operator_helps(secrets):
    secrets.user("lost")
    secrets.schedule("lost")
    secrets.postgres.sql("ALTER ROLE lost PASSWORD 'other'")
    secrets.client.rotate_secret(SecretId="lost")
    done = secrets.run("watch", "lost", check=False)
    assert done.returncode == 1 and "this needs an operator" in done.stdout, done.stdout
    assert "needs an operator: setSecret" in secrets.run("status", "lost").stdout


def test_drift_is_found_and_repaired(server, secrets):
    master = secrets.master()
    for name in ("sound", "drifted"):
        secrets.user(name, masterarn=master)
        secrets.schedule(name)
    assert secrets.run("verify", "sound").returncode == 0
    secrets.postgres.sql("ALTER ROLE drifted PASSWORD 'other'")

    done = secrets.run("verify", "drifted", check=False)
    assert done.returncode == 1 and "drift" in done.stdout
    told = json.loads(secrets.run("verify", "--all", "--json", check=False).stdout)
    assert (told["Drift"], told["Unreachable"]) == (1, 0) and told["LogIn"] >= 1
    assert [it["Name"] for it in told["Secrets"]] == ["drifted"]
    assert events(server, "RepairRotation") == []

    repaired = json.loads(secrets.run("verify", "--all", "--repair", "--json").stdout)
    assert (repaired["Repaired"], repaired["Drift"]) == (1, 0)
    assert secrets.postgres.accepts("drifted", "first")
    assert secrets.run("verify", "drifted").returncode == 0
    [record] = events(server, "RepairRotation")
    assert ":secret:drifted-" in json.dumps(record) and "first" not in json.dumps(record)


def test_a_server_that_doesnt_answer_hasnt_drifted(secrets):
    secrets.user("silent")
    secrets.schedule("silent")
    secrets.postgres.crash()
    try:
        done = secrets.run("verify", "silent", "--repair", "--json", check=False)
    finally:
        secrets.postgres.start()
    told = json.loads(done.stdout)
    assert (done.returncode, told["Unreachable"], told["Drift"]) == (1, 1, 0), told


def test_measurements_count_attempts(server, secrets):
    before = measured(server)
    secrets.user("counted")
    secrets.schedule("counted", immediately=True)
    after = measured(server)
    succeeded = 'strongroom_rotations_total{engine="PostgreSQL",outcome="succeeded"}'
    assert after[succeeded] == before.get(succeeded, 0) + 1
    changed = "strongroom_rotation_window_seconds_count"
    assert after[changed] == before[changed] + 1
    phases = [f'strongroom_rotations_running{{phase="{it}"}}' for it in ("allocated", "created", "setting")]
    assert [after[it] for it in phases] == [0, 0, 0]
    assert after["strongroom_rotations_waiting"] == 0
    assert after["strongroom_rotation_servers_shut"] == 0
    assert after["strongroom_rotation_overdue_seconds"] == 0


def measured(server):
    lines = server.admin("GET", "/metrics").splitlines()
    rotations = (it.rsplit(" ", 1) for it in lines if it.startswith("strongroom_rotation"))
    return {name: float(value) for name, value in rotations}
