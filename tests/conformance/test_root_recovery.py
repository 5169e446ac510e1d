"""A root key that is lost: shares printed once, typed in any case, bring every value back."""

import pytest

from strongroom import Server


@pytest.fixture
def server(tmp_path):
    running = Server(tmp_path)
    yield running
    running.stop()


def put(server, shares):
    paths = []
    for number, share in enumerate(shares):
        path = server.folder / f"share-{number}"
        path.write_text(share)
        paths += ["--share", str(path)]
    return paths


def use(server, shares):
    return server.run("root-key", "recovery", "use", *put(server, shares), check=False)


def test_three_of_five_open_what_nobody_else_can(server):
    secrets = server.start().client("us-east-1")
    secrets.create_secret(Name="s", SecretString="canary-4711")
    made = server.run("root-key", "recovery", "create", "--shares", "5", "--threshold", "3")
    shares = made.stdout.split()
    assert len(shares) == 5 and "shown only now" in made.stderr
    assert server.run("root-key", "recovery", "create", "--threshold", "9", check=False).returncode == 3
    # A Region that comes later has a partition key that comes later.
    server.client("eu-west-1").create_secret(Name="late", SecretString="canary-4712")
    assert use(server, shares[:3]).returncode == 3, "the server runs"
    told = (server.data / "journal").rglob("*")
    assert not any(shares[0].encode() in it.read_bytes() for it in told if it.is_file())
    server.stop()

    other = Server(server.folder / "other")
    other.folder.mkdir()
    other.start()
    foreign = other.run("root-key", "recovery", "create").stdout.split()
    other.stop()

    kept = use(server, shares[:3])
    assert "root.key` exists already" in kept.stderr
    (server.data / "root.key").unlink()
    assert "by its shares" in server.refuses_to_start()
    for given, expected in [
        (shares[:2], "2 of 3 shares were given"),
        ([*shares[:2], shares[1]], "share 2 was given twice"),
        ([*shares[:2], foreign[2]], "share 3 belongs to other shares"),
        ([*shares[:2], shares[2][:-1]], "a letter of it is wrong"),
    ]:
        refused = use(server, given)
        assert refused.returncode == 3 and expected in refused.stderr, refused.stderr
        assert "hint: " in refused.stderr
        assert not (server.data / "root.key").exists()

    done = use(server, [it.lower().replace("-", " ") for it in shares[2:]])
    assert done.returncode == 0, done.stderr
    server.start()
    for region, name, value in [("us-east-1", "s", "canary-4711"), ("eu-west-1", "late", "canary-4712")]:
        assert server.client(region).get_secret_value(SecretId=name)["SecretString"] == value
