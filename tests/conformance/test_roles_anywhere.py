"""IAM Roles Anywhere: certificates in place of stored keys, through unmodified boto3."""

import datetime
import json
import pathlib
import shlex
import subprocess
import sys
import urllib.error
import urllib.request

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError, CredentialRetrievalError

import x509_credentials
from authority import RSA, Authority
from test_access import allow, policy, refused
from x509_credentials import ask

HELPER = pathlib.Path(__file__).with_name("x509_credentials.py")
ACTIONS = ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"]


def trust(actions=ACTIONS, **more):
    principal = {"Service": "rolesanywhere.amazonaws.com"}
    return policy({"Effect": "Allow", "Principal": principal, "Action": actions} | more)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority") / "root")


class World:
    """A trust anchor, a profile and a role that reads secrets."""

    def __init__(self, server, region, authority):
        self.server, self.region = server, region
        self.anywhere = server.client(region, service="rolesanywhere")
        self.iam = server.client(region, service="iam")
        self.secrets = server.client(region)
        self.role = f"anywhere-{region}"
        made = self.iam.create_role(RoleName=self.role, AssumeRolePolicyDocument=trust())
        self.role_arn = made["Role"]["Arn"]
        self.may("secretsmanager:GetSecretValue")
        self.secret = self.secrets.create_secret(Name="app/db", SecretString="s")["ARN"]
        source = {"x509CertificateData": authority.pem}
        self.anchor = self.anywhere.create_trust_anchor(
            name="anchor",
            source={"sourceType": "CERTIFICATE_BUNDLE", "sourceData": source},
            enabled=True,
        )["trustAnchor"]
        self.profile = self.anywhere.create_profile(
            name="profile", roleArns=[self.role_arn], enabled=True
        )["profile"]

    def may(self, action):
        self.iam.put_role_policy(
            RoleName=self.role, PolicyName="may", PolicyDocument=policy(allow(action))
        )

    def line(self, identity, **more):
        certificate, key = identity
        options = {
            "certificate": certificate,
            "private-key": key,
            "endpoint": self.server.endpoint,
            "region": self.region,
            "trust-anchor-arn": self.anchor["trustAnchorArn"],
            "profile-arn": self.profile["profileArn"],
            "role-arn": self.role_arn,
        } | {key.replace("_", "-"): value for key, value in more.items()}
        pairs = [part for name, value in options.items() for part in (f"--{name}", str(value))]
        return [sys.executable, str(HELPER), *pairs]

    def told(self, identity, **more):
        """`ok`, or the error that the helper ends in."""
        done = subprocess.run(self.line(identity, **more), capture_output=True, text=True, timeout=60)
        return done.stderr.strip() or "ok"

    def session(self, identity, folder, monkeypatch, **more):
        """A boto3 session whose only credentials are the certificate's."""
        config = folder / "config"
        line = shlex.join(self.line(identity, **more))
        config.write_text(f"[profile x509]\ncredential_process = {line}\n")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
        monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
        return boto3.Session(profile_name="x509", region_name=self.region)

    def client(self, session, service):
        return session.client(service, endpoint_url=self.server.endpoint)


@pytest.fixture
def world(server, region, authority):
    return World(server, region, authority)


@pytest.mark.parametrize("key", [("EC", "-pkeyopt", "ec_paramgen_curve:P-384"), RSA])
def test_a_certificate_reads_a_secret(world, authority, tmp_path, monkeypatch, key):
    holder = authority.issue("/CN=web-1/OU=Shop", key=key)
    session = world.session(holder, tmp_path, monkeypatch)
    secrets = world.client(session, "secretsmanager")
    assert secrets.get_secret_value(SecretId="app/db")["SecretString"] == "s"
    arn = world.client(session, "sts").get_caller_identity()["Arn"]
    assert arn.startswith(f"arn:aws:sts::{world.server.keys.account}:assumed-role/{world.role}/")
    subject = world.anywhere.list_subjects()["subjects"][0]
    assert "CN=web-1" in subject["x509Subject"]
    assert world.anywhere.get_subject(subjectId=subject["subjectId"])["subject"]["credentials"]

    # What the certificate says counts for policies, then and later.
    condition = {"StringEquals": {"aws:PrincipalTag/x509Subject/OU": "Elsewhere"}}
    document = policy(allow("secretsmanager:*", Condition=condition))
    world.iam.put_role_policy(RoleName=world.role, PolicyName="may", PolicyDocument=document)
    refused(lambda: secrets.get_secret_value(SecretId="app/db"))
    condition["StringEquals"] = {
        "aws:PrincipalTag/x509Subject/OU": "Shop",
        "aws:PrincipalTag/x509Issuer/CN": "Test CA",
        "aws:SourceIdentity": "web-1",
    }
    document = policy(allow("secretsmanager:*", Condition=condition))
    world.iam.put_role_policy(RoleName=world.role, PolicyName="may", PolicyDocument=document)
    assert secrets.get_secret_value(SecretId="app/db")["SecretString"] == "s"


def test_roles_choose_their_holders(world, authority):
    holder = authority.issue("/CN=web-1")

    def put(document):
        world.iam.update_assume_role_policy(RoleName=world.role, PolicyDocument=document)
        return world.told(holder)

    denied = f"403 AccessDeniedException: Unable to assume role for {world.role_arn}"
    of_anchor = {"ArnEquals": {"aws:SourceArn": world.anchor["trustAnchorArn"]}}
    right = {
        "StringEquals": {
            "aws:PrincipalTag/x509Subject/CN": "web-1",
            "aws:SourceAccount": world.server.keys.account,
            "sts:SourceIdentity": "web-1",
        }
    }
    assert put(trust(Condition=of_anchor | right)) == "ok"
    for operator, key, value in [
        ("StringEquals", "aws:PrincipalTag/x509Subject/CN", "web-2"),
        ("StringEquals", "aws:SourceAccount", "111122223333"),
        ("StringEquals", "sts:SourceIdentity", "web-2"),
        ("ArnEquals", "aws:SourceArn", world.anchor["trustAnchorArn"] + "0"),
    ]:
        assert put(trust(Condition={operator: {key: value}})) == denied, key
    for action in ACTIONS:
        assert put(trust([it for it in ACTIONS if it != action])) == denied, action
    assert put(trust().replace("rolesanywhere", "lambda")) == denied
    assert put(trust()) == "ok"


def test_nothing_is_given_any_more(world, authority):
    anywhere, holder = world.anywhere, authority.issue("/CN=web-1")
    anchor, profile = world.anchor["trustAnchorId"], world.profile["profileId"]
    assert world.told(holder) == "ok"

    assert not anywhere.disable_profile(profileId=profile)["profile"]["enabled"]
    assert world.told(holder) == "403 AccessDeniedException: Profile is disabled"
    anywhere.enable_profile(profileId=profile)
    anywhere.update_profile(profileId=profile, roleArns=[])
    assert world.told(holder) == "403 AccessDeniedException: Role is not in the profile"
    anywhere.update_profile(profileId=profile, roleArns=[world.role_arn])
    assert world.told(holder) == "ok"

    anywhere.disable_trust_anchor(trustAnchorId=anchor)
    assert world.told(holder) == "403 AccessDeniedException: Trust anchor is disabled"
    anywhere.enable_trust_anchor(trustAnchorId=anchor)
    crl = anywhere.import_crl(
        name="crl",
        crlData=authority.revoke(),
        enabled=True,
        trustAnchorArn=world.anchor["trustAnchorArn"],
    )["crl"]
    assert world.told(holder) == "ok"
    anywhere.update_crl(crlId=crl["crlId"], crlData=authority.revoke(holder[0]))
    assert world.told(holder) == "403 AccessDeniedException: Certificate has been revoked"
    assert world.told(authority.issue("/CN=web-1")) == "ok"
    anywhere.disable_crl(crlId=crl["crlId"])
    assert world.told(holder) == "ok"

    anywhere.delete_profile(profileId=profile)
    assert world.told(holder) == "403 AccessDeniedException: Profile not found"
    anywhere.delete_trust_anchor(trustAnchorId=anchor)
    assert world.told(holder) == "403 AccessDeniedException: Untrusted signing certificate"


def test_strangers_learn_nothing(world, authority, tmp_path):
    other = Authority(tmp_path / "other")
    untrusted = "403 AccessDeniedException: Untrusted signing certificate"
    stranger = other.issue("/CN=web-1")
    assert world.told(stranger) == untrusted
    assert world.told(stranger, profile_arn="x", role_arn="x") == untrusted
    gone = world.anchor["trustAnchorArn"][:-12] + "0" * 12
    assert world.told(stranger, trust_anchor_arn=gone) == untrusted
    assert world.told(authority.issue("/CN=web-1"), trust_anchor_arn=gone) == untrusted
    # Another one's key under a good certificate.
    mixed = (authority.issue("/CN=web-1")[0], stranger[1])
    assert world.told(mixed) == "403 AccessDeniedException: Invalid signature"

    below = Authority(tmp_path / "below", "/CN=Below", issuer=authority)
    holder = below.issue("/CN=web-2")
    assert world.told(holder) == untrusted
    assert world.told(holder, intermediates=below.certificate) == "ok"
    ca = "403 AccessDeniedException: Incorrect basic constraints for end-entity certificate"
    assert world.told((below.certificate, below.key)) == ca


def test_only_this_way_of_signing(world, authority, server, region):
    options = x509_credentials.parsed(world.line(authority.issue("/CN=web-1"))[2:])
    now = datetime.datetime.now(datetime.timezone.utc)
    for minutes, expected in [(-4, 201), (4, 201), (-6, 403), (6, 403)]:
        status, code, answer = ask(options, now + datetime.timedelta(minutes=minutes))
        assert status == expected, answer
        assert code == (None if status == 201 else "InvalidSignatureException")
    other = x509_credentials.parsed(world.line(authority.issue("/CN=web-1"))[2:])
    other.region = "us-elsewhere-1"
    assert ask(other)[1:] == ("AccessDeniedException", {"message": "Untrusted signing certificate"})

    url = f"{server.endpoint}/sessions"
    for headers, code in [
        ({}, "MissingAuthenticationTokenException"),
        (signed_headers(server, region, url), "IncompleteSignatureException"),
    ]:
        request = urllib.request.Request(url, b"{}", headers, method="POST")
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request, timeout=60)
        assert (caught.value.code, caught.value.headers["x-amzn-ErrorType"]) == (403, code)
        assert caught.value.headers["Content-Type"] == "application/json"
        assert list(json.loads(caught.value.read())) == ["message"]


def signed_headers(server, region, url):
    """A request to CreateSession that an administrator's access key has signed."""
    request = AWSRequest("POST", url, {"Content-Type": "application/json"}, b"{}")
    keys = Credentials(server.keys.key_id, server.keys.secret)
    SigV4Auth(keys, "rolesanywhere", region).add_auth(request)
    return dict(request.headers)


def test_profiles_narrow_sessions(world, authority, tmp_path, monkeypatch):
    world.may("*")
    world.anywhere.update_profile(
        profileId=world.profile["profileId"],
        sessionPolicy=policy(allow("secretsmanager:DescribeSecret"), allow("sts:*")),
        durationSeconds=900,
        acceptRoleSessionName=True,
    )
    holder = authority.issue("/CN=web-1")
    session = world.session(holder, tmp_path, monkeypatch, role_session_name="chosen")
    secrets = world.client(session, "secretsmanager")
    assert secrets.describe_secret(SecretId="app/db")["Name"] == "app/db"
    refused(lambda: secrets.get_secret_value(SecretId="app/db"))
    assert world.client(session, "sts").get_caller_identity()["Arn"].endswith("/chosen")

    world.anywhere.update_profile(profileId=world.profile["profileId"], acceptRoleSessionName=False)
    message = "403 AccessDeniedException: Profile does not accept a role session name"
    assert world.told(holder, role_session_name="chosen") == message
    broken = world.session(holder, tmp_path, monkeypatch, role_session_name="chosen")
    with pytest.raises(CredentialRetrievalError):
        world.client(broken, "secretsmanager").list_secrets()


def test_administration(world, authority, server, stranger, region):
    anywhere, anchor = world.anywhere, world.anchor
    shown = anywhere.get_trust_anchor(trustAnchorId=anchor["trustAnchorArn"])["trustAnchor"]
    assert shown == anchor
    assert shown["source"]["sourceData"]["x509CertificateData"] == authority.pem
    renamed = anywhere.update_trust_anchor(trustAnchorId=anchor["trustAnchorId"], name="new name")
    assert renamed["trustAnchor"]["name"] == "new name"
    anywhere.tag_resource(resourceArn=anchor["trustAnchorArn"], tags=[{"key": "a", "value": "b"}])
    tags = anywhere.list_tags_for_resource(resourceArn=anchor["trustAnchorArn"])["tags"]
    assert tags == [{"key": "a", "value": "b"}]
    anywhere.untag_resource(resourceArn=anchor["trustAnchorArn"], tagKeys=["a"])
    assert anywhere.list_tags_for_resource(resourceArn=anchor["trustAnchorArn"])["tags"] == []
    for count in range(3):
        anywhere.create_profile(name=f"p{count}", roleArns=[])
    page = anywhere.list_profiles(pageSize=3)
    rest = anywhere.list_profiles(pageSize=3, nextToken=page["nextToken"])
    assert [len(it["profiles"]) for it in (page, rest)] == [3, 1]
    assert "nextToken" not in rest
    assert len(anywhere.get_paginator("list_profiles").paginate().build_full_result()["profiles"]) == 4

    gone = anchor["trustAnchorId"][:-12] + "0" * 12
    code = "ResourceNotFoundException"
    message = refused(lambda: anywhere.get_trust_anchor(trustAnchorId=gone), code)
    assert message == "Trust anchor not found"
    refused(lambda: anywhere.get_crl(crlId="x"), "ValidationException")
    mapping = {"certificateField": "x509SAN", "mappingRules": [{"specifier": "DNS"}]}
    profile = world.profile["profileId"]
    put = lambda: anywhere.put_attribute_mapping(profileId=profile, **mapping)  # noqa: E731
    refused(put, "UnknownOperationException")
    source = {"sourceType": "AWS_ACM_PCA", "sourceData": {"acmPcaArn": "arn:aws:acm-pca:x"}}
    refused(lambda: anywhere.create_trust_anchor(name="a", source=source), "ValidationException")
    leaf = pathlib.Path(authority.issue("/CN=x")[0]).read_text()
    source = {"sourceType": "CERTIFICATE_BUNDLE", "sourceData": {"x509CertificateData": leaf}}
    code = "ValidationException"
    message = refused(lambda: anywhere.create_trust_anchor(name="a", source=source), code)
    assert message == "Incorrect basic constraints for CA certificate"

    other = server.client(region, service="rolesanywhere", keys=stranger)
    assert other.list_trust_anchors()["trustAnchors"] == []
    arn = anchor["trustAnchorArn"]
    with pytest.raises(ClientError) as caught:
        other.get_trust_anchor(trustAnchorId=arn)
    assert caught.value.response["Error"]["Code"] == "ResourceNotFoundException"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404


def test_handing_over_a_role_needs_a_permission(world, server, region):
    name = f"manager-{region}"
    world.iam.create_user(UserName=name)
    key = world.iam.create_access_key(UserName=name)["AccessKey"]
    keys = type(server.keys)(server.keys.account, key["AccessKeyId"], key["SecretAccessKey"])
    client = server.client(region, service="rolesanywhere", keys=keys)

    def put(*statements):
        world.iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=policy(*statements))

    def create():
        return client.create_profile(name="p", roleArns=[world.role_arn])["profile"]["name"]

    message = refused(create)
    assert message.startswith(f"User: arn:aws:iam::{keys.account}:user/{name} is not authorized")
    put(allow("rolesanywhere:*"))
    assert "iam:PassRole" in refused(create)
    elsewhere = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
    put(allow("rolesanywhere:*"), allow("iam:PassRole", Condition=elsewhere))
    refused(create)
    here = {"StringEquals": {"iam:PassedToService": "rolesanywhere.amazonaws.com"}}
    put(allow("rolesanywhere:*"), allow("iam:PassRole", world.role_arn, Condition=here))
    assert create() == "p"
    assert json.dumps(client.list_profiles()["profiles"][0]["roleArns"])
