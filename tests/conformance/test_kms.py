"""The life of a key, through unmodified boto3."""

import json

import pytest
from botocore.exceptions import ClientError

CONTEXT = {"app": "shop"}


@pytest.fixture
def kms(server, region):
    return server.client(region, service="kms")


def code(call, **members):
    with pytest.raises(ClientError) as caught:
        call(**members)
    return caught.value.response["Error"]["Code"]


def test_a_key(kms, server, region):
    made = kms.create_key(Description="one", Tags=[{"TagKey": "a", "TagValue": "b"}])["KeyMetadata"]
    key, arn = made["KeyId"], made["Arn"]
    assert arn == f"arn:aws:kms:{region}:{server.keys.account}:key/{key}"
    kms.update_key_description(KeyId=key, Description="two")
    described = kms.describe_key(KeyId=arn)["KeyMetadata"]
    assert (described["Description"], described["KeyState"]) == ("two", "Enabled")
    assert [it["KeyId"] for it in kms.list_keys()["Keys"]] == [key]
    kms.tag_resource(KeyId=key, Tags=[{"TagKey": "c", "TagValue": "d"}])
    kms.untag_resource(KeyId=key, TagKeys=["a"])
    assert kms.list_resource_tags(KeyId=key)["Tags"] == [{"TagKey": "c", "TagValue": "d"}]
    assert kms.list_key_policies(KeyId=key)["PolicyNames"] == ["default"]
    policy = kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=policy)
    assert json.loads(policy)["Statement"][0]["Action"] == "kms:*"

    kms.disable_key(KeyId=key)
    assert code(kms.encrypt, KeyId=key, Plaintext=b"x") == "DisabledException"
    kms.enable_key(KeyId=key)
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert code(kms.encrypt, KeyId=key, Plaintext=b"x") == "KMSInvalidStateException"
    kms.cancel_key_deletion(KeyId=key)
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Disabled"


def test_ciphertexts(kms):
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    other = kms.create_key()["KeyMetadata"]["Arn"]
    sealed = kms.encrypt(KeyId=key, Plaintext=b"value", EncryptionContext=CONTEXT)
    opened = kms.decrypt(CiphertextBlob=sealed["CiphertextBlob"], EncryptionContext=CONTEXT)
    assert opened["Plaintext"] == b"value"
    blob = sealed["CiphertextBlob"]
    assert code(kms.decrypt, CiphertextBlob=blob) == "InvalidCiphertextException"
    moved = kms.re_encrypt(
        CiphertextBlob=blob, SourceEncryptionContext=CONTEXT, DestinationKeyId=other
    )
    assert moved["KeyId"] == other
    assert kms.decrypt(CiphertextBlob=moved["CiphertextBlob"])["Plaintext"] == b"value"
    data = kms.generate_data_key(KeyId=key, KeySpec="AES_256", EncryptionContext=CONTEXT)
    again = kms.decrypt(CiphertextBlob=data["CiphertextBlob"], EncryptionContext=CONTEXT)
    assert (len(data["Plaintext"]), again["Plaintext"]) == (32, data["Plaintext"])
    bare = kms.generate_data_key_without_plaintext(KeyId=key, NumberOfBytes=17)
    assert "Plaintext" not in bare
    assert len(kms.decrypt(CiphertextBlob=bare["CiphertextBlob"])["Plaintext"]) == 17
    assert len(kms.generate_random(NumberOfBytes=5)["Plaintext"]) == 5


def test_aliases(kms):
    one, two = (kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(2))
    kms.create_alias(AliasName="alias/app", TargetKeyId=one)
    sealed = kms.encrypt(KeyId="alias/app", Plaintext=b"x")["CiphertextBlob"]
    kms.update_alias(AliasName="alias/app", TargetKeyId=two)
    shown = kms.list_aliases(KeyId=two)["Aliases"]
    assert [it["AliasName"] for it in shown] == ["alias/app"]
    assert kms.decrypt(CiphertextBlob=sealed)["KeyId"].endswith(one)
    kms.delete_alias(AliasName="alias/app")
    assert code(kms.describe_key, KeyId="alias/app") == "NotFoundException"


def test_rotation(kms):
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    sealed = kms.encrypt(KeyId=key, Plaintext=b"old")["CiphertextBlob"]
    kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=90)
    status = kms.get_key_rotation_status(KeyId=key)
    assert (status["KeyRotationEnabled"], status["RotationPeriodInDays"]) == (True, 90)
    kms.rotate_key_on_demand(KeyId=key)
    kms.disable_key_rotation(KeyId=key)
    rotations = kms.list_key_rotations(KeyId=key)["Rotations"]
    assert [it["RotationType"] for it in rotations] == ["ON_DEMAND"]
    assert kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"old"


def test_grants(kms, server):
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    me = server.client(kms.meta.region_name, service="sts").get_caller_identity()["Arn"]
    given = {"GranteePrincipal": me, "RetiringPrincipal": me, "Operations": ["Decrypt"]}
    first = kms.create_grant(KeyId=key, Name="one", **given)
    assert kms.create_grant(KeyId=key, Name="one", **given)["GrantId"] == first["GrantId"]
    second = kms.create_grant(KeyId=key, **given)
    listed = kms.list_grants(KeyId=key)["Grants"]
    assert {it["GrantId"] for it in listed} == {first["GrantId"], second["GrantId"]}
    retirable = kms.list_retirable_grants(RetiringPrincipal=me)["Grants"]
    assert {first["GrantId"], second["GrantId"]} <= {it["GrantId"] for it in retirable}
    kms.revoke_grant(KeyId=key, GrantId=first["GrantId"])
    kms.retire_grant(KeyId=kms.describe_key(KeyId=key)["KeyMetadata"]["Arn"], GrantId=second["GrantId"])
    assert kms.list_grants(KeyId=key)["Grants"] == []
