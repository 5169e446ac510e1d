"""What operators do: start again, back up, restore, rotate the root key, prove the trail, look for faults."""

import concurrent.futures
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import threading

import pytest
from botocore.exceptions import ClientError

from strongroom import BINARY, Fault, Keys, Server, token

REGION = "us-test-1"


@pytest.fixture
def own(tmp_path):
    """A server of the test's own, which it may stop, kill and spoil."""
    server = Server(tmp_path)
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture
def second(tmp_path_factory):
    """A folder for another server, not started."""
    server = Server(tmp_path_factory.mktemp("second"))
    yield server
    server.stop()


def strongroom(*arguments):
    return subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=60)


def everything(server):
    """Every secret of the test's Region with all its versions, as the API shows them."""
    wire = server.wire(REGION)
    found, page = {}, {}
    while True:
        answer = wire.call("ListSecrets", IncludePlannedDeletion=True, **page)
        for shown in answer["SecretList"]:
            name = shown["Name"]
            # Reading marks the day, and this reads.
            shown.pop("LastAccessedDate", None)
            found[name] = (shown, versions(wire, name), policy(wire, name))
        if "NextToken" not in answer:
            return found
        page = {"NextToken": answer["NextToken"]}


def versions(wire, name):
    answer = wire.call("ListSecretVersionIds", SecretId=name, IncludeDeprecated=True)
    if "DeletedDate" in wire.call("DescribeSecret", SecretId=name):
        return sorted(it["VersionId"] for it in answer["Versions"])
    ids = sorted(it["VersionId"] for it in answer["Versions"])
    return {it: value(wire, name, it) for it in ids}


def value(wire, name, version):
    answer = wire.call("GetSecretValue", SecretId=name, VersionId=version)
    return answer.get("SecretString"), answer.get("SecretBinary"), answer.get("VersionStages")


def policy(wire, name):
    return wire.call("GetResourcePolicy", SecretId=name).get("ResourcePolicy")


def fill(server, count=20):
    wire = server.wire(REGION)
    for number in range(count):
        name = f"app/{number}"
        wire.secret(name, SecretString=f"first {number}", Description=f"number {number}")
        wire.put(f"second {number}", name=name)
    wire.call("TagResource", SecretId="app/0", Tags=[{"Key": "k", "Value": "v"}])
    wire.call("DeleteSecret", SecretId="app/1")


# Starting and stopping


def test_a_second_start_finds_the_same(own):
    fill(own)
    before, keys = everything(own), own.keys
    own.stop()
    own.start()
    assert own.keys == keys
    assert everything(own) == before


def test_a_stop_drains(own):
    own.process.send_signal(signal.SIGTERM)
    assert own.process.wait(timeout=30) == 0


def test_a_second_server_on_the_folder_is_refused(own):
    assert "another process" in own.refuses_to_start()
    assert own.wire(REGION).call("ListSecrets")["SecretList"] == []


@pytest.mark.parametrize("seed", range(3))
def test_a_kill_loses_nothing_that_was_answered(own, seed):
    """Concurrent writers, SIGKILL after a random number of answers, and a new start."""
    writers, names = 8, [f"app/{number}" for number in range(4)]
    for name in names:
        own.wire(REGION).secret(name)
    answered, lock = [], threading.Lock()
    enough = random.Random(seed).randrange(20, 200)
    killed = threading.Event()

    def write(number):
        wire = own.wire(REGION)
        for turn in range(1000):
            version, name = token(), names[(number + turn) % len(names)]
            try:
                wire.put(f"{number}-{turn}", version, name=name)
            except (OSError, Fault) as error:
                if not killed.is_set():
                    raise AssertionError("failed before the kill") from error
                return
            except Exception:
                if not killed.is_set():
                    raise
                return
            with lock:
                answered.append((name, version, f"{number}-{turn}"))
                if len(answered) == enough:
                    killed.set()
                    own.process.kill()

    with concurrent.futures.ThreadPoolExecutor(writers) as pool:
        list(pool.map(write, range(writers)))
    assert killed.is_set()
    own.process.wait(timeout=30)
    own.start()
    wire = own.wire(REGION)
    for name, version, expected in answered:
        found = wire.call("GetSecretValue", SecretId=name, VersionId=version)
        assert found["SecretString"] == expected
    for name in names:
        labels = [label for held in wire.stages(name).values() for label in held]
        assert sorted(labels) == ["AWSCURRENT", "AWSPREVIOUS"]
        current = wire.call("GetSecretValue", SecretId=name)
        assert current["SecretString"]
    assert own.run("trail", "verify").returncode == 0
    events = own.run("trail", "tail", "--json", "--event", "PutSecretValue").stdout.splitlines()
    recorded = {json.loads(it)["requestParameters"]["clientRequestToken"] for it in events}
    assert {version for _, version, _ in answered} <= recorded


# Keys


def test_env_needs_a_server(tmp_path):
    done = strongroom("env", "--wait", "0", "--data", str(tmp_path / "none"))
    assert (done.returncode, done.stdout) == (3, "")
    assert "no server is running" in done.stderr
    assert "hint: " in done.stderr


def test_env_survives_a_shell(own):
    script = 'eval "$("$1" env --data "$2")" && echo "$AWS_ACCESS_KEY_ID:$AWS_REGION:$AWS_ENDPOINT_URL"'
    line = ["sh", "-c", script, "sh", BINARY, str(own.data)]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == f"{own.keys.key_id}:us-east-1:{own.endpoint}"


def test_accounts_and_keys(own):
    made = json.loads(own.run("account", "create", "--id", "123456789012", "--json").stdout)
    assert set(made) == {"AccountId", "AccessKeyId", "SecretAccessKey"}
    assert made["AccountId"] == "123456789012"
    again = own.run("account", "create", "--id", "123456789012", check=False)
    assert again.returncode == 3
    assert "123456789012" in own.run("account", "list").stdout
    account = ["--account", "123456789012"]
    key = json.loads(own.run("access-key", "create", *account, "--json").stdout)
    listed = json.loads(own.run("access-key", "list", *account, "--json").stdout)["AccessKeys"]
    assert {it["AccessKeyId"] for it in listed} == {made["AccessKeyId"], key["AccessKeyId"]}
    assert "SecretAccessKey" not in listed[0]
    own.run("access-key", "deactivate", key["AccessKeyId"])
    listed = json.loads(own.run("access-key", "list", *account, "--json").stdout)["AccessKeys"]
    states = {it["AccessKeyId"]: it["Status"] for it in listed}
    assert states == {made["AccessKeyId"]: "Active", key["AccessKeyId"]: "Inactive"}
    own.run("access-key", "activate", key["AccessKeyId"])


def test_a_deleted_access_key_is_no_good_at_once(own):
    account = ["--account", own.keys.account]
    made = json.loads(own.run("access-key", "create", *account, "--json").stdout)
    keys = Keys(own.keys.account, made["AccessKeyId"], made["SecretAccessKey"])
    client = own.client("us-east-1", keys=keys)
    client.list_secrets()
    done = own.run("access-key", "delete", made["AccessKeyId"])
    assert done.stderr == f"{made['AccessKeyId']} is deleted\n"
    with pytest.raises(ClientError) as caught:
        client.list_secrets()
    assert caught.value.response["Error"]["Code"] == "UnrecognizedClientException"
    assert made["AccessKeyId"] not in own.run("access-key", "list", *account).stdout
    # Once more, and nothing brings it back.
    for verb in ("delete", "activate"):
        again = own.run("access-key", verb, made["AccessKeyId"], check=False)
        assert again.returncode == 3 and "there is no access key" in again.stderr
    told = [json.loads(it) for it in own.run("trail", "tail", "--json", "--event", "DeleteAccessKey").stdout.splitlines()]
    [record] = told
    assert made["SecretAccessKey"] not in json.dumps(record)


def test_sessions_of_no_role_cannot_end(own):
    role = f"arn:aws:iam::{own.keys.account}:role/none"
    for given in (role, "app", ""):
        done = own.run("session", "revoke", given, check=False)
        assert done.returncode == 3 and f"there is no role `{given}`" in done.stderr
        assert "hint: " in done.stderr


def test_the_root_key_is_rotated_under_load(own):
    fill(own)
    before, key = everything(own), (own.data / "root.key").read_bytes()
    stopped = threading.Event()

    def read():
        wire, count = own.wire(REGION), 0
        while not stopped.is_set():
            wire.call("GetSecretValue", SecretId="app/0")
            count += 1
        return count

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        try:
            done = own.run("root-key", "rotate")
        finally:
            stopped.set()
        assert all(it.result() > 0 for it in readers)
    assert done.stdout.strip() == own.admin("GET", "/v1/status")["RootKey"]["Id"]
    assert (own.data / "root.key").read_bytes() != key
    own.stop()
    own.start()
    assert everything(own)["app/5"][1] == before["app/5"][1]
    own.stop()
    (own.data / "root.key").write_bytes(key)
    assert "root key" in own.refuses_to_start()


def test_a_wrong_or_missing_root_key_serves_nothing(own):
    fill(own, 2)
    own.stop()
    key = own.data / "root.key"
    right = key.read_bytes()
    for spoil in (lambda: key.write_bytes(os.urandom(32)), key.unlink):
        spoil()
        assert "root key" in own.refuses_to_start()
    assert not key.exists(), "a new root key was made over existing data"
    key.touch(mode=0o600)
    key.write_bytes(right)
    own.start()
    assert own.wire(REGION).call("GetSecretValue", SecretId="app/0")["SecretString"] == "second 0"


# Backup and restore


def test_a_backup_under_load_restores_every_secret(own, second, tmp_path):
    fill(own)
    stopped = threading.Event()

    def write():
        wire, number = own.wire(REGION), 0
        while not stopped.is_set():
            wire.secret(f"load/{number}", SecretString=str(number))
            number += 1
        return number

    file = tmp_path / "backup"
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        load = pool.submit(write)
        try:
            own.run("backup", str(file))
        finally:
            stopped.set()
        assert load.result() > 0
    assert file.stat().st_mode & 0o777 == 0o600
    assert b"second 3" not in file.read_bytes()
    assert (own.data / "root.key").read_bytes() not in file.read_bytes()

    second.run("restore", str(file))
    refused = second.run("restore", str(file), check=False)
    assert refused.returncode == 3, "a folder that is in use was overwritten"
    shutil.copy2(own.data / "root.key", second.data / "root.key")
    second.start()
    before, after = everything(own), everything(second)
    assert {name for name in before if name.startswith("app/")} <= set(after)
    # A write during the backup is in it whole or not at all.
    assert {name: before[name] for name in after} == after


def test_a_damaged_backup_is_refused(own, second, tmp_path):
    fill(own, 3)
    file = tmp_path / "backup"
    own.run("backup", str(file))
    whole = file.read_bytes()
    middle = len(whole) // 2
    damaged = {
        "cut": whole[:-1],
        "half": whole[:middle],
        "empty": b"",
        "changed": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
        "longer": whole + b"x",
        "something else": b"x" * 1000,
    }
    for name, text in damaged.items():
        file.write_bytes(text)
        done = second.run("restore", str(file), check=False)
        assert done.returncode == 3, name
        assert not (second.data / "store.redb").exists(), name


def test_a_backup_never_overwrites_by_accident(own, tmp_path):
    file = tmp_path / "backup"
    file.write_text("precious")
    assert own.run("backup", str(file), check=False).returncode == 3
    assert file.read_text() == "precious"
    own.run("backup", "--force", str(file))
    assert sorted(it.name for it in tmp_path.iterdir() if "backup" in it.name) == ["backup"]


# The trail


def test_the_trail_is_whole_and_a_change_shows(own):
    fill(own, 3)
    running = own.run("trail", "verify", "--json")
    assert json.loads(running.stdout)["Whole"] is True
    own.stop()
    assert "chain whole" in own.run("trail", "verify").stdout
    segment = sorted((own.data / "journal").glob("*"), key=lambda it: it.stat().st_size)[-1]
    whole = segment.read_bytes()
    line = next(it for it in whole.splitlines(keepends=True) if b"CreateSecret" in it)
    spoiled = {
        "changed": whole.replace(b"CreateSecret", b"CreateSecreT", 1),
        "removed": whole.replace(line, b"", 1),
        "repeated": whole.replace(line, line + line, 1),
    }
    for name, text in spoiled.items():
        segment.write_bytes(text)
        done = own.run("trail", "verify", check=False)
        assert done.returncode == 1, name
        assert "chain broken" in done.stdout, name
    segment.write_bytes(whole)
    assert own.run("trail", "verify").returncode == 0


def test_the_trail_is_filtered(own):
    wire = own.wire(REGION)
    wire.secret("a")
    wire.secret("b")
    wire.fault("GetSecretValue", SecretId="none")
    wire.call("GetSecretValue", SecretId="a")

    def events(*filters):
        lines = own.run("trail", "tail", "--json", *filters).stdout.splitlines()
        records = [json.loads(line) for line in lines]
        return [it["eventName"] for it in records if it["awsRegion"] == REGION]

    assert events() == ["CreateSecret", "CreateSecret", "GetSecretValue", "GetSecretValue"]
    assert events("--errors") == ["GetSecretValue"]
    assert events("--secret", "a") == ["CreateSecret", "GetSecretValue"]
    assert events("--event", "CreateSecret", "--secret", "b") == ["CreateSecret"]
    assert events("--principal", "admin", "-n", "1") == ["GetSecretValue"]
    assert events("--principal", "nobody") == []
    assert len(own.run("trail", "tail", "-n", "3").stdout.splitlines()) == 3


def test_the_trail_is_followed(own):
    only = ["--event", "CreateSecret"]
    line = [BINARY, "trail", "tail", "-f", *only, "--data", str(own.data)]
    follower = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)
    try:
        for name in ("a", "b"):
            own.wire(REGION).secret(name)
            assert name in follower.stdout.readline().split()
    finally:
        follower.kill()
        follower.wait(timeout=30)
        follower.stdout.close()


# The doctor


def test_the_doctor_finds_nothing_wrong(own):
    fill(own, 3)
    for _ in ("running", "stopped"):
        done = own.run("doctor", "--json", check=False)
        findings = json.loads(done.stdout)["Findings"]
        assert {it["Grade"] for it in findings} <= {"Ok", "Warn"}, findings
        assert done.returncode == 0
        own.stop()


def test_the_doctor_finds_what_is_wrong(own):
    own.stop()
    os.chmod(own.data / "root.key", 0o644)
    done = own.run("doctor", check=False)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    (fault,) = [number for number, line in enumerate(lines) if line.startswith("FAIL")]
    assert "root key" in lines[fault]
    assert "hint: chmod 600" in lines[fault + 1]


# Health and metrics


def test_health_and_metrics(own):
    own.wire(REGION).secret("a")
    assert own.admin_answer("GET", "/health").status == 200
    assert own.admin_answer("GET", "/ready").status == 200
    metrics = own.admin("GET", "/metrics")
    assert 'CreateSecret' in metrics
    assert metrics.splitlines()[0].startswith("#")


# Production


def production(folder, **sections):
    """A configuration file that listens on a unix socket."""
    text = {
        "server": {"data": str(folder / "data"), "listen": [f"unix:{folder / 'api.sock'}"]},
        **sections,
    }
    lines = []
    for section, keys in text.items():
        lines.append(f"[{section}]")
        lines += [f"{name} = {json.dumps(it)}" for name, it in keys.items()]
    path = folder / "strongroom.toml"
    path.write_text("\n".join(lines))
    return path


@pytest.mark.parametrize(
    ("sections", "told"),
    [
        ({"server": {"data": "d", "listen": ["0.0.0.0:443"]}}, "TLS"),
        ({"server": {"data": "d", "lisen": []}}, "lisen"),
        ({"unknown": {"x": 1}}, "unknown"),
        ({"root_key": {"provider": "none"}}, "line 5"),
        ({"limits": {"body_bytes": "many"}}, "line 5"),
    ],
)
def test_a_mistake_in_the_configuration_stops_the_start(tmp_path, sections, told):
    done = strongroom("server", "--config", str(production(tmp_path, **sections)))
    assert done.returncode == 3
    assert told in done.stderr
    assert done.stderr.count("error:") == 1
    assert not (tmp_path / "data").exists()


def test_a_production_server(tmp_path):
    path = production(tmp_path)
    (tmp_path / "data").mkdir(mode=0o700)
    assert strongroom("server", "--check", "--config", str(path)).returncode == 0
    process = subprocess.Popen([BINARY, "server", "--config", str(path)], stderr=subprocess.PIPE)
    try:
        first = process.stderr.readline()
        # Logs are JSON lines; the first one says that it has begun.
        assert json.loads(first)
        server = Server(tmp_path)
        ready = strongroom("env", "--data", str(server.data))
        assert ready.returncode == 3, "a production server has no development credentials"
        assert "isn't a development server" in ready.stderr
        made = json.loads(server.run("account", "create", "--json").stdout)
        assert made["AccessKeyId"].startswith("AKIA")
        assert server.admin("GET", "/v1/status")["Mode"] == "server"
        assert server.run("doctor", "--config", str(path), check=False).returncode == 0
    finally:
        process.terminate()
        process.communicate(timeout=30)
    assert process.returncode == 0


# The program itself


def test_the_program_tells_about_itself(tmp_path):
    version = strongroom("--version").stdout
    assert all(word in version for word in ("strongroom", "commit", "target", "profile", "rustc"))
    for shell in ("bash", "zsh", "fish"):
        assert "doctor" in strongroom("completions", shell).stdout
    script = strongroom("completions", "bash").stdout
    subprocess.run(["bash", "-n"], input=script, text=True, check=True, timeout=30)
    assert strongroom("man", str(tmp_path / "man1")).returncode == 0
    assert (tmp_path / "man1" / "strongroom-root-key-rotate.1").exists()
    assert strongroom("no-such-verb").returncode == 2


def test_a_reader_may_go_away(own):
    fill(own, 5)
    line = f"'{BINARY}' trail tail --data '{own.data}' | head -n 1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", line], capture_output=True, timeout=30)
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_folder_is_nobody_elses(own):
    for path in [own.data, *own.data.rglob("*")]:
        assert path.lstat().st_mode & 0o077 == 0, path
    assert pathlib.Path(own.ca_file).is_file()
