"""The life of a secret through unmodified boto3, over HTTP and TLS."""

import urllib.request
import uuid

import pytest
from botocore.exceptions import ClientError


@pytest.fixture(params=["http", "tls"])
def client(server, region, request):
    return server.client(region, tls=request.param == "tls")


@pytest.fixture(params=["http", "tls"])
def sts(server, region, request):
    return server.client(region, service="sts", tls=request.param == "tls")


def test_the_whole_life(client):
    made = client.create_secret(Name="app/db", SecretString="one", Description="of the app")
    arn = made["ARN"]
    for secret_id in ("app/db", arn, arn[:-7]):
        assert client.get_secret_value(SecretId=secret_id)["SecretString"] == "one"

    second = client.put_secret_value(SecretId="app/db", SecretString="two")
    assert second["VersionStages"] == ["AWSCURRENT"]
    previous = client.get_secret_value(SecretId=arn, VersionStage="AWSPREVIOUS")
    assert (previous["SecretString"], previous["VersionId"]) == ("one", made["VersionId"])

    client.update_secret_version_stage(
        SecretId=arn,
        VersionStage="AWSCURRENT",
        MoveToVersionId=made["VersionId"],
        RemoveFromVersionId=second["VersionId"],
    )
    assert client.get_secret_value(SecretId=arn)["SecretString"] == "one"

    client.update_secret(SecretId=arn, SecretBinary=b"\0three", Description="new")
    assert client.get_secret_value(SecretId=arn)["SecretBinary"] == b"\0three"
    assert client.describe_secret(SecretId=arn)["Description"] == "new"
    versions = client.list_secret_version_ids(SecretId=arn, IncludeDeprecated=True)["Versions"]
    assert len(versions) == 3

    client.tag_resource(SecretId=arn, Tags=[{"Key": "team", "Value": "x"}])
    assert client.describe_secret(SecretId=arn)["Tags"] == [{"Key": "team", "Value": "x"}]
    client.untag_resource(SecretId=arn, TagKeys=["team"])
    assert client.describe_secret(SecretId=arn)["Tags"] == []

    client.delete_secret(SecretId=arn, RecoveryWindowInDays=7)
    with pytest.raises(client.exceptions.InvalidRequestException, match="marked for deletion"):
        client.get_secret_value(SecretId=arn)
    client.restore_secret(SecretId=arn)
    assert client.get_secret_value(SecretId=arn)["SecretBinary"] == b"\0three"
    client.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.describe_secret(SecretId=arn)


def test_a_resource_policy(client, server):
    arn = client.create_secret(Name="app/db", SecretString="one")["ARN"]
    policy = (
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":'
        f'{{"AWS":"arn:aws:iam::{server.keys.account}:root"}},'
        '"Action":"secretsmanager:GetSecretValue","Resource":"*"}]}'
    )
    assert client.validate_resource_policy(ResourcePolicy=policy)["PolicyValidationPassed"]
    client.put_resource_policy(SecretId=arn, ResourcePolicy=policy, BlockPublicPolicy=True)
    assert "GetSecretValue" in client.get_resource_policy(SecretId=arn)["ResourcePolicy"]
    names = client.list_resource_policies(SecretId=arn)["ResourcePolicies"]
    assert names == [{"PolicyName": "default"}]
    client.delete_resource_policy(SecretId=arn)
    assert "ResourcePolicy" not in client.get_resource_policy(SecretId=arn)


def test_pages_filters_and_batches(client):
    for number in range(7):
        tags = [{"Key": "odd", "Value": str(number % 2)}]
        client.create_secret(Name=f"app/{number}", SecretString=str(number), Tags=tags)
    pages = client.get_paginator("list_secrets").paginate(PaginationConfig={"PageSize": 2})
    assert sorted(it["Name"] for page in pages for it in page["SecretList"]) == [
        f"app/{number}" for number in range(7)
    ]
    odd = [{"Key": "tag-value", "Values": ["1"]}]
    assert len(client.list_secrets(Filters=odd)["SecretList"]) == 3
    batch = client.batch_get_secret_value(SecretIdList=["app/1", "app/none", "app/2"])
    assert sorted(it["SecretString"] for it in batch["SecretValues"]) == ["1", "2"]
    assert [it["ErrorCode"] for it in batch["Errors"]] == ["ResourceNotFoundException"]
    filtered = client.batch_get_secret_value(Filters=odd)
    assert sorted(it["SecretString"] for it in filtered["SecretValues"]) == ["1", "3", "5"]


def test_retries_are_harmless(client):
    given = {"Name": "app/db", "SecretString": "one", "ClientRequestToken": str(uuid.uuid4())}
    assert client.create_secret(**given)["ARN"] == client.create_secret(**given)["ARN"]


def test_errors_have_codes(client):
    with pytest.raises(ClientError) as caught:
        client.get_secret_value(SecretId="app/none")
    answer = caught.value.response
    assert answer["Error"]["Code"] == "ResourceNotFoundException"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert answer["ResponseMetadata"]["RequestId"]


def test_passwords(client):
    assert len(client.get_random_password(PasswordLength=40)["RandomPassword"]) == 40


def test_who_am_i(sts, server):
    found = sts.get_caller_identity()
    assert found["Account"] == server.keys.account
    assert found["Arn"] == f"arn:aws:iam::{server.keys.account}:user/admin"
    assert found["UserId"].startswith("AIDA")


def test_nobody(server, region):
    keys = server.keys.__class__(server.keys.account, server.keys.key_id, "wrong")
    sts = server.client(region, service="sts", keys=keys)
    with pytest.raises(ClientError) as caught:
        sts.get_caller_identity()
    answer = caught.value.response
    assert answer["Error"]["Code"] == "SignatureDoesNotMatch"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_a_presigned_identity(server, region):
    """What EKS tokens and other proofs of identity are made of."""
    sts = server.client(region, service="sts")
    url = sts.generate_presigned_url("get_caller_identity", HttpMethod="GET")
    with urllib.request.urlopen(url, timeout=30) as answer:
        assert server.keys.account in answer.read().decode()
