"""Values that must never be seen are searched for wherever the server writes.

Each canary enters as a value, in every operation that takes one, in requests that succeed and in
requests that fail at every stage. None may be in the audit trail, the logs, the metrics, an error, or in
any byte of the data folder.
"""

import base64
import json

import pytest

from operations import SMALLEST
from strongroom import Server, blob, token

MARK = "canary-7f3e9ac1"


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """A talkative server, and everything it said after the canaries went through it."""
    server = Server(tmp_path_factory.mktemp("canary"))
    try:
        server.start("--log", "trace")
        answers, passwords = sing(server)
        said = {
            "answers": "\n".join(answers).encode(),
            "metrics": server.admin("GET", "/metrics").encode(),
            "status": json.dumps(server.admin("GET", "/v1/status")).encode(),
            "trail": server.run("trail", "tail", "--json").stdout.encode(),
            "trail, for people": server.run("trail", "tail").stdout.encode(),
        }
    finally:
        server.stop()
    said |= {"stdout": server.stdout.read_bytes(), "stderr": server.stderr.read_bytes()}
    files = {it: it.read_bytes() for it in server.data.rglob("*") if it.is_file()}
    said |= {f"data/{it.relative_to(server.data)}": text for it, text in files.items()}
    return said, passwords


def canary(number):
    return f"{MARK}-{number:04}-{token()}"


def sing(server):
    """Sends canaries through every operation. Returns all errors, and the generated passwords."""
    wire = server.wire("us-test-1")
    stranger = server.wire("us-test-1", server.new_account())
    numbers = iter(range(10_000))
    answers = []

    def ask(caller, operation, **members):
        answer = caller.ask(operation, members)
        if answer.status != 200:
            answers.append(answer.body.decode())
        return answer

    arn, first = wire.secret("t/one", SecretString=canary(next(numbers)))
    wire.secret("t/bytes", SecretString=None, SecretBinary=blob(canary(next(numbers)).encode()))
    for name in ("t/one", arn, "t/none", "bad name", ""):
        for operation, identify in [
            ("CreateSecret", "Name"),
            ("PutSecretValue", "SecretId"),
            ("UpdateSecret", "SecretId"),
        ]:
            for given in (token(), first, "short", None):
                for value in values(numbers):
                    members = {identify: name, "ClientRequestToken": given, **value}
                    ask(wire, operation, **members)
                    ask(stranger, operation, **members | {identify: arn})
    # Where no value belongs: an unknown member, and a member of the wrong type.
    for operation in SMALLEST:
        for members in ({"SecretString": canary(next(numbers))}, {"SecretBinary": "!" + MARK}):
            ask(wire, operation, SecretId="t/one", Name="t/x", Unknown=members, **members)
    for _ in range(3):
        ask(wire, "GetSecretValue", SecretId="t/one")
        ask(wire, "BatchGetSecretValue", SecretIdList=["t/one", "t/bytes", "t/none"])
    passwords = [wire.call("GetRandomPassword")["RandomPassword"] for _ in range(5)]
    wire.call("DeleteSecret", SecretId="t/bytes", ForceDeleteWithoutRecovery=True)
    return answers, passwords


def values(numbers):
    """Values that are accepted, and values that are refused for their size, type or company."""
    text = canary(next(numbers))
    yield {"SecretString": text}
    yield {"SecretBinary": blob(text.encode())}
    yield {"SecretString": text, "SecretBinary": blob(text.encode())}
    yield {"SecretString": text + "x" * 65_536}
    yield {"SecretString": {"nested": text}}
    yield {"SecretString": [text]}
    yield {"SecretBinary": text + "!"}
    yield {"SecretString": text, "RotationToken": text}
    yield {"SecretString": text, "VersionStages": []}


def forms():
    """How a canary could look: as text, in base64 at each alignment, in hex."""
    mark = MARK.encode()
    yield mark
    yield mark.hex().encode()
    yield mark.hex().upper().encode()
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + mark)
        yield encoded[4 if shift else 0 : -4]


def test_the_canary_would_be_found():
    text = f"x{MARK}y"
    for encoded in (text.encode(), text.encode().hex().encode(), base64.b64encode(text.encode())):
        assert any(form in encoded for form in forms()), encoded


def test_something_was_said(told):
    said, _ = told
    assert b"PutSecretValue" in said["trail"]
    assert b"ResourceExistsException" in said["answers"]
    assert any(name.startswith("data/journal/") for name in said)
    assert b"t/one" in b"".join(text for name, text in said.items() if name.startswith("data/"))


def test_no_value_was_said(told):
    said, passwords = told
    searched = [*forms(), *(it.encode() for it in passwords)]
    found = [(name, form) for name, text in said.items() for form in searched if form in text]
    assert found == []


def test_the_key_of_the_caller_was_not_said(told):
    said, _ = told
    texts = {name: text for name, text in said.items() if not name.startswith("stdout")}
    shown = [line for line in said["stdout"].decode().splitlines() if "AWS_SECRET_ACCESS_KEY" in line]
    secrets = [line.rsplit("=", 1)[1].strip("'\"") for line in shown]
    assert secrets, "dev prints its key once, for pasting"
    for secret in secrets:
        assert [name for name, text in texts.items() if secret.encode() in text] == []
