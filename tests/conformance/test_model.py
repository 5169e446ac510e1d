"""Every API that is served, against the official models."""

import json

import botocore.exceptions
import pytest

from shapes import differences, served

# How many operations of each are built at least: less means that the question below has gone wrong.
SERVED = {"iam": 70, "kms": 30, "secretsmanager": 19, "sts": 4}
UNKNOWN = {"InvalidAction", "UnknownOperationException"}


@pytest.mark.parametrize("service", sorted(SERVED))
def test_what_is_required_is_asked_for(server, region, service):
    """An empty request is told all its required members at once, in the order of the model's names."""
    client = server.client(region, service=service, parameter_validation=False)
    model = client.meta.service_model
    count = 0
    for name in model.operation_names:
        method = next(it for it, op in client.meta.method_to_api_mapping.items() if op == name)
        text = ""
        try:
            getattr(client, method)()
        except botocore.exceptions.ClientError as error:
            code, text = error.response["Error"]["Code"], error.response["Error"]["Message"]
            if code in UNKNOWN:
                continue
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] < 500, name
        count += 1
        served.add((service, name))
        shape = model.operation_model(name).input_shape
        required = shape.required_members if shape else []
        lower = [it[0].lower() + it[1:] for it in required]
        untold = [it for it in lower if f"'{it}'" not in text]
        assert not untold, f"{name}: {untold} of {text!r}"
    assert count >= SERVED[service]


def test_differences_are_seen(server, region):
    """The check of every other test's answers can fail."""
    client = server.client(region)
    tags = client.meta.service_model.operation_model("DescribeSecret")
    ids = server.client(region, service="sts").meta.service_model.operation_model("GetCallerIdentity")
    namespace = "https://sts.amazonaws.com/doc/2011-06-15/"

    def answer(result, name="GetCallerIdentity"):
        metadata = "<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata>"
        inside = f"<{name}Result>{result}</{name}Result>{metadata}"
        return f'<{name}Response xmlns="{namespace}">{inside}</{name}Response>'.encode()

    cases = [
        (tags, {"Name": "a", "Tags": [{"Key": "k", "Value": "v"}]}, 0),
        (tags, {"Name": 1}, 1),
        (tags, {"Name": None}, 1),
        (tags, {"Nam": "a"}, 1),
        (tags, {"Tags": [{"Key": "k", "value": "v"}]}, 1),
        (tags, {"CreatedDate": "2026-01-01T00:00:00Z"}, 1),
        (tags, {"RotationEnabled": 0}, 1),
        (ids, answer("<Account>1</Account><Arn>a</Arn><UserId>u</UserId>"), 0),
        (ids, answer("<account>1</account>"), 1),
        (ids, answer("<Arn>a</Arn><Arn>a</Arn>"), 1),
        (ids, answer("", "GetSessionToken"), 2),
    ]
    for operation, body, count in cases:
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        assert len(differences(operation, body)) == count, body
