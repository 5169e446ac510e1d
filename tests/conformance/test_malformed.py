"""Every operation, asked wrongly: by the wrong caller, beyond each limit, in the wrong form.

Whatever is sent, the answer is an awsJson error with a request id, never a 5xx, and the server goes on.
The limits come from the official model, so a limit that we forgot shows here.
"""

import datetime
import json
import re

import pytest

from operations import NOT_BUILT, ON_A_SECRET, SMALLEST, model, smallest
from strongroom import JSON, Keys

OPERATIONS = sorted(SMALLEST)
CLIENT_ERRORS = {
    "InvalidNextTokenException",
    "InvalidParameterException",
    "InvalidRequestException",
    "ResourceNotFoundException",
    "SerializationException",
    "ValidationException",
}


@pytest.fixture(autouse=True)
def still_answers(server, wire):
    """After each test the server answers an honest request."""
    yield
    assert "SecretList" in wire.call("ListSecrets")
    assert server.process.poll() is None


@pytest.fixture
def asked(wire):
    """An operation's smallest input, on a secret that exists."""
    arn, version = wire.secret()

    def fill(operation, secret="t/one"):
        return smallest(operation, secret=secret, version=version, account=wire.keys.account)

    fill.arn = arn
    return fill


def body(members):
    return json.dumps(members).encode()


def refused(answer, kind, message=None):
    assert (answer.status, answer.type) == (400, kind), answer.body
    if message is not None:
        assert message in answer.message


# Callers


@pytest.mark.parametrize("operation", OPERATIONS)
def test_allowed(wire, asked, operation):
    assert wire.send(operation, body(asked(operation))).status == 200


@pytest.mark.parametrize("operation", OPERATIONS)
def test_unsigned(wire, asked, operation):
    answer = wire.send(operation, body(asked(operation)), signed=False)
    refused(answer, "MissingAuthenticationTokenException", "Missing Authentication Token")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_wrong_signature(wire, asked, operation):
    def tamper(headers):
        head, signature = headers["Authorization"].rsplit("=", 1)
        flipped = "0" if signature[-1] != "0" else "1"
        headers["Authorization"] = f"{head}={signature[:-1]}{flipped}"

    answer = wire.send(operation, body(asked(operation)), tamper=tamper)
    refused(answer, "InvalidSignatureException", "The request signature we calculated")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_changed_body(wire, asked, operation):
    signed = body(asked(operation))
    answer = wire.send(operation, signed, sent=signed + b" ")
    refused(answer, "InvalidSignatureException", "The request signature we calculated")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_changed_target(wire, asked, operation):
    def tamper(headers):
        headers["X-Amz-Target"] = f"secretsmanager.{operation}"

    answer = wire.send("Nope", body(asked(operation)), tamper=tamper)
    refused(answer, "InvalidSignatureException", "The request signature we calculated")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_unknown_key(server, wire, asked, operation):
    unknown = Keys(wire.keys.account, "AKIA" + "Q" * 16, wire.keys.secret)
    answer = server.wire(wire.region, unknown).send(operation, body(asked(operation)))
    refused(answer, "UnrecognizedClientException", "security token included in the request")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_deactivated_key(server, wire, asked, operation):
    keys = server.new_key()
    caller = server.wire(wire.region, keys)
    assert caller.call("ListSecrets")["SecretList"]
    server.admin("POST", f"/v1/access-keys/{keys.key_id}/deactivate", {})
    answer = caller.send(operation, body(asked(operation)))
    refused(answer, "UnrecognizedClientException", "security token included in the request")
    server.admin("POST", f"/v1/access-keys/{keys.key_id}/activate", {})
    assert caller.call("ListSecrets")["SecretList"]


@pytest.mark.parametrize("operation", sorted(ON_A_SECRET))
def test_stranger_by_arn(server, wire, asked, stranger, operation):
    answer = server.wire(wire.region, stranger).send(operation, body(asked(operation, asked.arn)))
    refused(answer, "AccessDeniedException", f"secretsmanager:{operation}")


@pytest.mark.parametrize("operation", sorted(ON_A_SECRET))
def test_stranger_by_name(server, wire, asked, stranger, operation):
    """A name leads into the caller's own account, where there is no such secret."""
    answer = server.wire(wire.region, stranger).send(operation, body(asked(operation)))
    refused(answer, "ResourceNotFoundException")


def test_stranger_in_a_batch(server, wire, asked, stranger):
    other = server.wire(wire.region, stranger)
    found = other.call("BatchGetSecretValue", SecretIdList=[asked.arn, "t/one"])
    assert found["SecretValues"] == []
    codes = {it["SecretId"]: it["ErrorCode"] for it in found["Errors"]}
    assert codes == {asked.arn: "AccessDeniedException", "t/one": "ResourceNotFoundException"}


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("minutes", [-6, 6])
def test_other_time(wire, asked, operation, minutes):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=minutes)
    answer = wire.send(operation, body(asked(operation)), at=at)
    text = "Signature expired: " if minutes < 0 else "Signature not yet current: "
    refused(answer, "InvalidSignatureException", text)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_scope_of_another_service(wire, asked, operation):
    answer = wire.send(operation, body(asked(operation)), service="kms")
    refused(answer, "InvalidSignatureException", "Credential should be scoped to correct service")


# Members


def members(shape, path=()):
    """Every member below a structure: its path in a request, its shape."""
    for name, inner in shape.members.items():
        yield (*path, name), inner
        if inner.type_name == "list":
            yield (*path, name, 0), inner.member
            if inner.member.type_name == "structure":
                yield from members(inner.member, (*path, name, 0))
        if inner.type_name == "structure":
            yield from members(inner, (*path, name))


def every_member():
    for operation in OPERATIONS:
        for path, shape in members(model(operation).input_shape):
            yield operation, path, shape


def beyond(shape):
    """Values just outside a shape's limits, each with what it breaks."""
    limits, kind = shape.metadata, shape.type_name
    if "max" in limits:
        yield "max", sized(shape, limits["max"] + 1)
    if limits.get("min", 0) > 0:
        yield "min", sized(shape, limits["min"] - 1)
    if limits.get("enum"):
        yield "enum", "no-such-value"
    if "pattern" in limits and kind == "string":
        yield "pattern", "\u00e4" * max(limits.get("min", 1), 1)


def sized(shape, size):
    match shape.type_name:
        case "integer" | "long":
            return size
        case "list":
            return [acceptable(shape.member) for _ in range(size)]
        case "blob":
            return "QUFB" * (size // 3) + {0: "", 1: "QQ==", 2: "QUE="}[size % 3]
        case _:
            return "x" * size


def acceptable(shape):
    """Some value within a shape's limits."""
    if shape.type_name == "structure":
        return {name: acceptable(inner) for name, inner in shape.members.items()}
    if shape.type_name == "list":
        return [acceptable(shape.member)] * max(shape.metadata.get("min", 1), 1)
    if shape.type_name == "boolean":
        return True
    if shape.type_name in ("integer", "long"):
        return max(shape.metadata.get("min", 7), 7)
    return shape.metadata.get("enum", ["x" * max(shape.metadata.get("min", 1), 1)])[0]


def with_member(request, shape, path, value):
    """`request` with `value` at `path`; what lies on the way is made acceptable."""
    place = request
    for step, following in zip(path, path[1:]):
        shape = shape.members[step] if isinstance(step, str) else shape.member
        if isinstance(step, str):
            place[step] = acceptable(shape) if step not in place else place[step]
        place = place[step]
        assert following is not None
    place[path[-1]] = value
    return request


def shown(path):
    return ".".join(str(it) for it in path)


LIMITS = [
    pytest.param(operation, path, value, id=f"{operation}-{shown(path)}-{what}")
    for operation, path, shape in every_member()
    for what, value in beyond(shape)
]


@pytest.mark.parametrize(("operation", "path", "value"), LIMITS)
def test_beyond_a_limit(wire, asked, operation, path, value):
    request = with_member(asked(operation), model(operation).input_shape, path, value)
    answer = wire.send(operation, body(request))
    assert answer.status == 400, answer.body
    assert answer.type in CLIENT_ERRORS, answer.body
    assert answer.message


def wire_path(path):
    """A path as messages print it: `Filters`, 0, `Key` is `filters.1.member.key`."""
    steps = [f"{it + 1}.member" if isinstance(it, int) else it[0].lower() + it[1:] for it in path]
    return ".".join(steps)


@pytest.mark.parametrize("operation", [it for it in OPERATIONS if model(it).input_shape.required_members])
def test_required_members_are_all_named(wire, operation):
    needed = model(operation).input_shape.required_members
    answer = wire.send(operation, b"{}")
    refused(answer, "ValidationException")
    assert re.match(rf"{len(needed)} validation errors? detected: ", answer.message)
    for name in needed:
        text = f"Value null at '{wire_path([name])}' failed to satisfy constraint: Member must not be null"
        assert text in answer.message


def others(shape):
    """One value of every JSON type that a shape does not take."""
    values = {
        "string": "7",
        "number": 7,
        "fraction": 7.5,
        "boolean": True,
        "list": ["x"],
        "structure": {"x": "y"},
    }
    taken = {
        "blob": ["string"],
        "boolean": ["boolean"],
        "integer": ["number"],
        "list": ["list"],
        "long": ["number"],
        "string": ["string"],
        "structure": ["structure"],
    }[shape.type_name]
    return [(name, value) for name, value in values.items() if name not in taken]


TYPES = [
    pytest.param(operation, path, value, id=f"{operation}-{shown(path)}-{what}")
    for operation, path, shape in every_member()
    for what, value in others(shape)
]


@pytest.mark.parametrize(("operation", "path", "value"), TYPES)
def test_another_json_type(wire, asked, operation, path, value):
    request = with_member(asked(operation), model(operation).input_shape, path, value)
    answer = wire.send(operation, body(request))
    refused(answer, "SerializationException")


# What is wrong in two ways is told in the service's order.


def test_a_missing_secret_before_its_page(wire):
    missing = wire.fault("ListResourcePolicies", SecretId="t/none", NextToken="x")
    refused(missing, "ResourceNotFoundException")
    wire.secret()
    page = wire.fault("ListResourcePolicies", SecretId="t/one", NextToken="x")
    refused(page, "InvalidNextTokenException")


def test_a_used_token_before_the_key(wire):
    _, version = wire.secret()
    members = {"SecretId": "t/one", "SecretString": "b", "KmsKeyId": "alias/none"}
    used = wire.fault("UpdateSecret", ClientRequestToken=version, **members)
    refused(used, "ResourceExistsException")
    fresh = wire.fault("UpdateSecret", ClientRequestToken="x" * 32, **members)
    refused(fresh, "EncryptionFailure")


def test_a_taken_name_before_replicas(wire):
    replicas = {"ClientRequestToken": "x" * 32, "AddReplicaRegions": [{"Region": "us-east-2"}]}
    refused(wire.fault("CreateSecret", Name="t/one", **replicas), "InvalidRequestException")
    wire.secret()
    refused(wire.fault("CreateSecret", Name="t/one", **replicas), "ResourceExistsException")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_null_is_absence(wire, asked, operation):
    request = asked(operation)
    for name in model(operation).input_shape.members:
        request.setdefault(name, None)
    assert wire.send(operation, body(request)).status == 200


@pytest.mark.parametrize("operation", OPERATIONS)
def test_unknown_members_are_ignored(wire, asked, operation):
    request = asked(operation) | {"Unknown": {"deep": [1, None, {"er": "x"}]}}
    assert wire.send(operation, body(request)).status == 200


# Bodies

# `MEMBER` stands for the name of a member that the operation has.
BODIES = {
    "empty": b"",
    "half": b"{",
    "list": b"[]",
    "null": b"null",
    "string": b'"x"',
    "number": b"7",
    "trailing": b"{} {}",
    "deep lists": b"[" * 100_000,
    "deep objects": b'{"MEMBER":' * 20_000 + b"1" + b"}" * 20_000,
    "deep below a member": b'{"MEMBER":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    "deep below an unknown member": b'{"Unknown":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    "invalid UTF-8": b'{"MEMBER":"\xff\xfe\xc0\xaf"}',
    "invalid UTF-8 in a name": b'{"MEMBER\xff":"x"}',
    "a lone surrogate": b'{"MEMBER":"\\ud800"}',
    "a raw control character": b'{"MEMBER":"a\x00b"}',
    "an endless number": b'{"MEMBER":' + b"9" * 5_000 + b"}",
    "a number beyond all": b'{"MEMBER":9e999999999}',
    "a comment": b"{/* */}",
    "a byte order mark": b"\xef\xbb\xbf{}",
    "a form": b"Action=GetCallerIdentity&Version=2011-06-15",
}


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_is_none(wire, operation, name):
    answer = wire.send(operation, BODIES[name].replace(b"MEMBER", some_member(operation)))
    if answer.status == 200:
        # Nothing is required, and members that the operation doesn't have are skipped.
        assert operation in ("GetRandomPassword", "ListSecrets"), answer.body
        assert name in ("empty", "deep below an unknown member"), answer.body
    else:
        assert answer.status == 400, answer.body
        assert answer.type in CLIENT_ERRORS, answer.body


def some_member(operation):
    """The name of a member that holds a text, or a list of texts."""
    members = model(operation).input_shape.members.items()
    return next(name for name, it in members if it.type_name in ("string", "list")).encode()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_huge_body(wire, operation):
    padded = b'{"Description":"' + b"x" * 2_000_000 + b'"}'
    answer = wire.send(operation, padded)
    assert answer.status in (400, 413), answer.body[:200]
    assert answer.type


@pytest.mark.parametrize("operation", OPERATIONS)
def test_members_twice(wire, asked, operation):
    member = some_member(operation).decode()
    request = asked(operation) | {member: asked(operation).get(member, "x")}
    twice = ",".join(f"{json.dumps(name)}:{json.dumps(it)}" for name, it in request.items())
    answer = wire.send(operation, f"{{{twice},{twice}}}".encode())
    refused(answer, "SerializationException")


# What is no operation


@pytest.mark.parametrize("operation", [*NOT_BUILT, "Nope", "", "getsecretvalue"])
def test_not_an_operation(wire, operation):
    answer = wire.send(operation, b"{}")
    assert (answer.status, answer.json) == (400, {"__type": "UnknownOperationException"})


@pytest.mark.parametrize("target", [None, "", "secretsmanager", "GetSecretValue", "x.GetSecretValue"])
def test_not_a_target(wire, target):
    answer = wire.post(target, b"{}")
    assert 400 <= answer.status < 500
    assert answer.headers["x-amzn-requestid"]


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("AWS4-HMAC-SHA256", "IncompleteSignatureException"),
        ("AWS4-HMAC-SHA256 Credential=x", "IncompleteSignatureException"),
        ("AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=host, Signature=00", None),
        ("Bearer abc", None),
        ("", None),
        ("\u00e4", None),
        ("AWS4-HMAC-SHA256 " + "x" * 6_000, None),
    ],
)
def test_not_an_authorization(wire, header, kind):
    answer = wire.send("ListSecrets", b"{}", tamper=lambda it: it.update(Authorization=header))
    assert answer.status == 400, answer.body
    assert kind is None or answer.type == kind
    assert answer.headers["content-type"] == JSON
