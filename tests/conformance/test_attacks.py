"""What an attacker with an account of its own, or with half of somebody's credentials, would try."""

import json

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest
from botocore.exceptions import ClientError

from strongroom import JSON, Keys, exchange

REFUSALS = {"AccessDeniedException", "InvalidParameterException", "ValidationException"}
WHO = json.dumps({"SecretId": "one"}).encode()


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action, resource="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource} | more


def code(call, **members):
    with pytest.raises(ClientError) as caught:
        call(**members)
    return caught.value.response["Error"]["Code"]


@pytest.fixture
def victim(server, region):
    """An account with a secret `one`."""
    keys = server.new_account()
    server.client(region, keys=keys).create_secret(Name="one", SecretString="s")
    return keys


def send(server, region, keys, change=lambda headers: None):
    """GetSecretValue, signed by `keys`, with headers changed after signing; the error's type, or None."""
    headers = {"Content-Type": JSON, "X-Amz-Target": "secretsmanager.GetSecretValue"}
    request = botocore.awsrequest.AWSRequest("POST", server.endpoint + "/", headers, WHO)
    credentials = botocore.credentials.Credentials(keys.key_id, keys.secret, keys.token)
    botocore.auth.SigV4Auth(credentials, "secretsmanager", region).add_auth(request)
    headers = dict(request.headers.items())
    change(headers)
    answer = exchange(server.endpoint, "POST", "/", WHO, headers)
    assert answer.status < 500, answer
    return answer.type


def test_a_signature_is_no_good_for_another_key(server, region, stranger, victim):
    def claim(headers):
        header = headers["Authorization"]
        headers["Authorization"] = header.replace(stranger.key_id, victim.key_id)

    assert send(server, region, victim) is None
    assert send(server, region, stranger, claim) == "InvalidSignatureException"


class TestTokens:
    @pytest.fixture
    def session(self, server, region, victim):
        given = server.client(region, service="sts", keys=victim).get_session_token()
        return Keys.of_session(victim.account, given["Credentials"])

    def test_none_that_was_changed_is_any_good(self, server, region, session):
        """A session is what its token says: signed with each, so that only the token can be at fault."""
        assert send(server, region, session) is None
        token = session.token
        changed = [token[:length] for length in range(0, len(token), 41)]
        for at in range(0, len(token), 29):
            letter = "A" if token[at] != "A" else "B"
            changed.append(token[:at] + letter + token[at + 1 :])
        changed += [token + "A", token + token, token.swapcase(), token[::-1], "é" * 40]
        for each in changed:
            keys = Keys(session.account, session.key_id, session.secret, each or None)
            assert send(server, region, keys) == "UnrecognizedClientException", each

    def test_none_opens_for_another_key(self, server, region, session, stranger, victim):
        for keys in (stranger, victim):
            moved = Keys(keys.account, keys.key_id, keys.secret, session.token)
            assert send(server, region, moved) == "UnrecognizedClientException"
            guessed = Keys(keys.account, session.key_id, keys.secret, session.token)
            assert send(server, region, guessed) == "InvalidSignatureException"

    def test_one_that_was_not_signed_is_none(self, server, region, session):
        """The token belongs to what is signed: without it the key's id is nobody's."""

        def drop(headers):
            del headers["X-Amz-Security-Token"]

        assert send(server, region, session, drop) == "UnrecognizedClientException"


def test_nobody_can_say_that_a_service_asks(server, region, victim):
    """`kms:ViaService` and its like follow from how a call came about, never from what it says."""
    iam, kms = (server.client(region, service=it, keys=victim) for it in ("iam", "kms"))
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    via = {"StringEquals": {"kms:ViaService": f"secretsmanager.{region}.amazonaws.com"}}
    called = {"Bool": {"aws:ViaAWSService": "true"}}
    iam.create_user(UserName="ada")
    made = iam.create_access_key(UserName="ada")["AccessKey"]
    ada = Keys(victim.account, made["AccessKeyId"], made["SecretAccessKey"])
    claims = {
        "X-Amz-Via": "secretsmanager.amazonaws.com",
        "X-Amz-Invoked-By": "secretsmanager.amazonaws.com",
        "X-Amz-Source-Arn": "arn:aws:secretsmanager:::secret:x",
        "X-Forwarded-For": "127.0.0.1",
        "Via": "1.1 secretsmanager.amazonaws.com",
        "User-Agent": "secretsmanager.amazonaws.com",
    }

    def claim(request, **_):
        for name, value in claims.items():
            request.headers[name] = value

    for condition in (via, called, {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}):
        iam.put_user_policy(
            UserName="ada",
            PolicyName="p",
            PolicyDocument=document(allow("kms:*", Condition=condition)),
        )
        client = server.client(region, service="kms", keys=ada)
        client.meta.events.register("before-sign", claim)
        assert code(client.decrypt, CiphertextBlob=blob) == "AccessDeniedException", condition


def test_policies_made_to_be_slow_are_answered(server, region, victim):
    """Ten policies of the longest patterns that are taken, and a name that almost fits them all."""
    iam = server.client(region, service="iam", keys=victim)
    iam.create_user(UserName="ada")
    made = iam.create_access_key(UserName="ada")["AccessKey"]
    ada = Keys(victim.account, made["AccessKeyId"], made["SecretAccessKey"])
    stars = "arn:aws:secretsmanager:*:*:secret:" + "*a" * 900 + "*b"
    conditions = {"StringLike": {"aws:UserAgent": ["*a" * 400 + f"*{n}" for n in range(4)]}}
    text = document(allow("secretsmanager:" + "*e" * 200 + "*x", stars, Condition=conditions))
    for n in range(10):
        arn = iam.create_policy(PolicyName=f"p{n}", PolicyDocument=text)["Policy"]["Arn"]
        iam.attach_user_policy(UserName="ada", PolicyArn=arn)
    client = server.client(region, keys=ada, user_agent_extra="a" * 900)
    assert code(client.get_secret_value, SecretId="a" * 500) == "AccessDeniedException"

    deep = '{"Statement":' + "[" * 5_000 + "]" * 5_000 + "}"
    refused = code(iam.create_policy, PolicyName="deep", PolicyDocument=deep)
    assert refused in ("LimitExceeded", "MalformedPolicyDocument")


def test_names_are_what_they_are(server, region, victim):
    """No path is walked, no case or letter taken for another: what a policy names is one thing."""
    admin = server.client(region, keys=victim)
    iam = server.client(region, service="iam", keys=victim)
    made = {it: admin.create_secret(Name=it, SecretString=it)["ARN"] for it in ("prod/a", "Prod/A")}
    iam.create_user(UserName="ada")
    key = iam.create_access_key(UserName="ada")["AccessKey"]
    ada = server.client(region, keys=Keys(victim.account, key["AccessKeyId"], key["SecretAccessKey"]))
    prefix = made["prod/a"].rsplit(":", 1)[0]
    iam.put_user_policy(
        UserName="ada",
        PolicyName="p",
        PolicyDocument=document(allow("secretsmanager:GetSecretValue", f"{prefix}:prod/*")),
    )
    assert ada.get_secret_value(SecretId="prod/a")["SecretString"] == "prod/a"
    denied = [
        "Prod/A",
        made["Prod/A"],
        "prod/../one",
        "prod/a/../../one",
        "./prod/a",
        "prod//a",
        "PROD/a",
        "prod%2fa",
        "prod/a\u200b",
        "ｐrod/a",
        made["prod/a"].replace("secretsmanager", "SecretsManager"),
        made["prod/a"].replace(":secret:", ":Secret:"),
        made["prod/a"].replace("arn:aws:", "arn:aws-cn:"),
        made["prod/a"].replace(victim.account, server.keys.account),
    ]
    for name in denied:
        assert code(ada.get_secret_value, SecretId=name) in REFUSALS, name
    for name in ("ada\u200b", "аda", "ada/../b", "ada b", "ada\n"):
        assert code(iam.create_user, UserName=name) == "ValidationError", name
    assert code(iam.create_user, UserName="ADA") == "EntityAlreadyExists"


def test_a_deputy_is_not_confused(server, region, stranger, victim):
    """A service that reads for its customers is told whose request it serves, or it reads for the wrong one."""
    iam = server.client(region, service="iam", keys=victim)
    deputy = {"AWS": f"arn:aws:iam::{stranger.account}:root"}
    trust = {"Effect": "Allow", "Principal": deputy, "Action": "sts:AssumeRole"}
    trust["Condition"] = {"StringEquals": {"sts:ExternalId": "customer-7"}}
    role = iam.create_role(RoleName="shared", AssumeRolePolicyDocument=document(trust))["Role"]
    sts = server.client(region, service="sts", keys=stranger)
    wanted = {"RoleArn": role["Arn"], "RoleSessionName": "deputy"}
    for given in ({}, {"ExternalId": "customer-8"}, {"ExternalId": "CUSTOMER-7"}):
        assert code(sts.assume_role, **wanted, **given) == "AccessDenied"
    sts.assume_role(**wanted, ExternalId="customer-7")


def key_of(server, iam, name, account):
    iam.create_user(UserName=name)
    made = iam.create_access_key(UserName=name)["AccessKey"]
    return Keys(account, made["AccessKeyId"], made["SecretAccessKey"])


def test_who_may_not_tag_makes_nothing_with_tags(server, region, victim):
    """Where tags open doors, making something with a tag is tagging it."""
    iam = server.client(region, service="iam", keys=victim)
    ada = server.client(region, service="iam", keys=key_of(server, iam, "ada", victim.account))
    deny = {"Effect": "Deny", "Action": "iam:Tag*", "Resource": "*"}
    iam.put_user_policy(
        UserName="ada", PolicyName="p", PolicyDocument=document(allow("iam:*"), deny)
    )
    trust = {"Effect": "Allow", "Principal": {"AWS": victim.account}, "Action": "sts:AssumeRole"}
    tags = [{"Key": "team", "Value": "finance"}]
    text = document(allow("s3:GetObject"))
    for make, members in (
        (ada.create_role, {"RoleName": "r", "AssumeRolePolicyDocument": document(trust)}),
        (ada.create_user, {"UserName": "u"}),
        (ada.create_policy, {"PolicyName": "p", "PolicyDocument": text}),
        (ada.create_instance_profile, {"InstanceProfileName": "i"}),
        (ada.create_virtual_mfa_device, {"VirtualMFADeviceName": "m"}),
        (ada.create_open_id_connect_provider, {"Url": "https://a.example"}),
    ):
        assert code(make, **members, Tags=tags) == "AccessDenied"
        make(**members)


def test_a_grant_from_elsewhere_opens_no_boundary(server, region, stranger, victim):
    iam = server.client(region, service="iam", keys=victim)
    bob = key_of(server, iam, "bob", victim.account)
    boundary = iam.create_policy(PolicyName="b", PolicyDocument=document(allow("s3:*")))["Policy"]
    iam.put_user_permissions_boundary(UserName="bob", PermissionsBoundary=boundary["Arn"])
    theirs = server.client(region, service="kms", keys=stranger)
    key = theirs.create_key()["KeyMetadata"]["Arn"]
    bobs = f"arn:aws:iam::{victim.account}:user/bob"
    theirs.create_grant(KeyId=key, GranteePrincipal=bobs, Operations=["Encrypt"])
    kms = server.client(region, service="kms", keys=bob)
    assert code(kms.encrypt, KeyId=key, Plaintext=b"x") == "AccessDeniedException"
    iam.delete_user_permissions_boundary(UserName="bob")
    kms.encrypt(KeyId=key, Plaintext=b"x")


def test_an_alias_of_somebody_else_tells_no_key(server, region, stranger, victim):
    theirs = server.client(region, service="kms", keys=stranger)
    key = theirs.create_key()["KeyMetadata"]["KeyId"]
    theirs.create_alias(AliasName="alias/theirs", TargetKeyId=key)
    kms = server.client(region, service="kms", keys=victim)
    told = []
    for name in ("alias/theirs", "alias/none"):
        arn = f"arn:aws:kms:{region}:{stranger.account}:{name}"
        with pytest.raises(ClientError) as caught:
            kms.encrypt(KeyId=arn, Plaintext=b"x")
        told.append(caught.value.response["Error"]["Message"].replace(name, "alias/x"))
    assert told[0] == told[1] and key not in told[0]
