"""Sessions of users, and what a key's id tells, through unmodified boto3."""

import json

import pytest
from botocore.exceptions import ClientError

from strongroom import Keys

LIST = {"Effect": "Allow", "Action": "secretsmanager:ListSecrets", "Resource": "*"}


@pytest.fixture
def sts(server, region):
    return server.client(region, service="sts")


def test_a_keys_id_tells_its_account(server, stranger, sts):
    for keys in (server.keys, stranger):
        assert sts.get_access_key_info(AccessKeyId=keys.key_id)["Account"] == keys.account


def test_a_federated_user_has_what_was_handed_over(server, region, sts):
    policy = json.dumps({"Version": "2012-10-17", "Statement": [LIST]})
    given = sts.get_federation_token(Name="visitor", Policy=policy, DurationSeconds=900)
    arn = f"arn:aws:sts::{server.keys.account}:federated-user/visitor"
    assert given["FederatedUser"] == {
        "FederatedUserId": f"{server.keys.account}:visitor",
        "Arn": arn,
    }
    keys = Keys.of_session(server.keys.account, given["Credentials"])
    assert server.client(region, service="sts", keys=keys).get_caller_identity()["Arn"] == arn
    visitor = server.client(region, keys=keys)
    assert visitor.list_secrets()["SecretList"] == []
    with pytest.raises(ClientError) as caught:
        visitor.create_secret(Name="one")
    assert "no session policy allows" in caught.value.response["Error"]["Message"]


def test_a_session_of_a_user_may_what_the_user_may(server, region, sts):
    given = sts.get_session_token(DurationSeconds=900)["Credentials"]
    keys = Keys.of_session(server.keys.account, given)
    assert server.client(region, keys=keys).list_secrets()["SecretList"] == []
    with pytest.raises(ClientError) as caught:
        server.client(region, service="iam", keys=keys).list_users()
    assert caught.value.response["Error"]["Code"] == "AccessDenied"
