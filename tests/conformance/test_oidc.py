"""Workloads that have a token of their issuer and nothing else, through unmodified boto3 and the AWS CLI."""

import base64
import hashlib
import hmac
import json
import os
import subprocess
import sys
import time

import boto3
import botocore
import botocore.config
import botocore.exceptions
import pytest
import shapes
from issuer import Authority, Issuer, of_github, of_kubernetes
from strongroom import BINARY, Keys, Server

REGION = "us-east-1"
VALUE = "correct horse"


class Production(Server):
    """One `strongroom server` with a configuration of its own."""

    def start(self, text):
        self.data.mkdir(mode=0o700)
        config = self.folder / "strongroom.toml"
        config.write_text(f'[server]\ndata = "{self.data}"\nlisten = ["127.0.0.1:0"]\n{text}')
        with open(self.stderr, "ab") as err:
            line = [BINARY, "server", "--config", str(config)]
            self.process = subprocess.Popen(line, stderr=err, stdin=subprocess.DEVNULL)
        self.run("doctor", check=False)
        deadline = time.monotonic() + 30
        while not (self.data / "admin.sock").exists():
            assert self.process.poll() is None and time.monotonic() < deadline, self.stderr.read_text()
        self.endpoint = self.admin("GET", "/v1/status")["Endpoint"]
        made = json.loads(self.run("account", "create", "--json").stdout)
        self.keys = Keys(made["AccountId"], made["AccessKeyId"], made["SecretAccessKey"])
        return self


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def own(tmp_path_factory, authority):
    """A production server that knows the authority, and may ask issuers on this machine."""
    server = Production(tmp_path_factory.mktemp("production"))
    try:
        server.start(f'[oidc]\nallow_private = true\nca_bundle = "{authority.bundle}"\n')
        server.client(REGION).create_secret(Name="shop/db", SecretString=VALUE)
        yield server
        assert server.process.poll() is None, "the server died during the tests"
    finally:
        server.stop()


@pytest.fixture
def issuer(authority):
    issuer = Issuer(authority)
    yield issuer
    issuer.stop()


def trust(server, issuer, condition):
    document = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {
                    "Federated": f"arn:aws:iam::{server.keys.account}:oidc-provider/{issuer.name}"
                },
                "Action": ["sts:AssumeRoleWithWebIdentity", "sts:TagSession", "sts:SetSourceIdentity"],
                "Condition": condition,
            }
        ],
    }
    return json.dumps(document)


READ = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "*"},
}


def let_in(server, issuer, name, condition, **provider):
    """Makes the issuer known, and a role `name` that reads secrets for its tokens."""
    iam = server.client(REGION, service="iam")
    iam.create_open_id_connect_provider(
        Url=issuer.url, ClientIDList=["sts.amazonaws.com"], **provider
    )
    role = iam.create_role(
        RoleName=name, AssumeRolePolicyDocument=trust(server, issuer, condition)
    )["Role"]
    iam.put_role_policy(RoleName=name, PolicyName="read", PolicyDocument=json.dumps(READ))
    return role["Arn"]


def anonymous(server):
    """STS as somebody without credentials sees it."""
    client = boto3.client(
        "sts",
        region_name=REGION,
        endpoint_url=server.endpoint,
        config=botocore.config.Config(
            signature_version=botocore.UNSIGNED, retries={"total_max_attempts": 1}
        ),
    )
    return shapes.watch(client)


def assume(server, role, token, **more):
    return anonymous(server).assume_role_with_web_identity(
        RoleArn=role, RoleSessionName="one", WebIdentityToken=token, **more
    )


def refusal(server, role, token, **more):
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        assume(server, role, token, **more)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


STRANGER = ("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
NO_KEY = (
    "InvalidIdentityToken",
    "Couldn't retrieve verification key from your identity provider,  please reference "
    "AssumeRoleWithWebIdentity documentation for requirements",
)


def test_a_pod_reads_a_secret_with_three_variables(own, issuer, tmp_path):
    role = let_in(
        own,
        issuer,
        "pod",
        {"StringEquals": {f"{issuer.name}:sub": "system:serviceaccount:shop:web"}},
    )
    token = tmp_path / "token"
    token.write_text(issuer.token(**of_kubernetes("shop", "web")))
    code = (
        "import boto3\n"
        "print(boto3.client('secretsmanager').get_secret_value(SecretId='shop/db')['SecretString'])"
    )
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ROLE_ARN": role,
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(token),
        "AWS_ENDPOINT_URL": own.endpoint,
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.strip() == VALUE, done.stderr
    told = subprocess.run(
        [sys.executable, "-m", "awscli", "sts", "get-caller-identity"],
        env={**environment, "AWS_ROLE_SESSION_NAME": "pod-1"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    arn = f"arn:aws:sts::{own.keys.account}:assumed-role/pod/pod-1"
    assert json.loads(told.stdout)["Arn"] == arn, told.stderr


def test_a_workflow_of_github_form(own, authority):
    issuer = Issuer(authority, path="/_services/token")
    try:
        role = let_in(
            own,
            issuer,
            "deploy",
            {
                "StringLike": {f"{issuer.name}:sub": "repo:octo/app:*"},
                "StringEquals": {
                    f"{issuer.name}:aud": "sts.amazonaws.com",
                    f"{issuer.name}:repository_owner_id": "65",
                    f"{issuer.name}:environment": "production",
                },
            },
        )
        answer = assume(own, role, issuer.token(**of_github("octo/app", "refs/heads/main")))
        assert answer["SubjectFromWebIdentityToken"] == "repo:octo/app:ref:refs/heads/main"
        provider = f"arn:aws:iam::{own.keys.account}:oidc-provider/{issuer.name}"
        assert (answer["Provider"], answer["Audience"]) == (provider, "sts.amazonaws.com")
        other = issuer.token(**of_github("octo/other", "refs/heads/main"))
        assert refusal(own, role, other) == STRANGER
        staging = {**of_github("octo/app", "refs/heads/main"), "environment": "staging"}
        assert refusal(own, role, issuer.token(**staging)) == STRANGER
    finally:
        issuer.stop()


def test_what_is_refused_and_how(own, issuer):
    role = let_in(own, issuer, "refused", {"StringEquals": {f"{issuer.name}:sub": "somebody"}})
    now = int(time.time())
    unknown = role.replace("role/refused", "role/none")
    assert assume(own, role, issuer.token())["Credentials"]
    assert refusal(own, role, issuer.token(sub="nobody")) == STRANGER
    assert refusal(own, unknown, issuer.token()) == STRANGER
    audience = ("InvalidIdentityToken", "Incorrect token audience")
    assert refusal(own, role, issuer.token(aud="vault")) == audience
    missing = ("InvalidIdentityToken", "Missing a required claim: sub")
    assert refusal(own, role, issuer.token(sub=None)) == missing
    code, text = refusal(own, role, issuer.token(exp=now - 400))
    assert code == "ExpiredTokenException"
    assert text.startswith("Token expired: current date/time ")
    assert text.endswith(f"must be before the expiration date/time {now - 400}")
    code, text = refusal(own, role, issuer.token(iat=now - 441398))
    assert code == "ExpiredTokenException" and text.startswith("Token too old: 4413")
    elsewhere = issuer.token(iss="https://evil.example")
    told = "No OpenIDConnect provider found in your account for https://evil.example"
    assert refusal(own, role, elsewhere) == ("InvalidIdentityToken", told)
    assert refusal(own, "arn:aws:iam::1:role/x", issuer.token())[0] == "ValidationError"
    asked = len(issuer.asked)
    for token in forged(issuer):
        code, text = refusal(own, role, token)
        assert code == "InvalidIdentityToken", text
    assert len(issuer.asked) == asked, "nobody made us ask again"


def forged(issuer):
    """Tokens that say the right things and that the issuer hasn't signed."""
    good = issuer.token()
    header, claims, signature = good.split(".")
    other = Issuer.__new__(Issuer)
    other.keys, other.url = {}, issuer.url
    other.roll(issuer.kid)
    yield other.token()
    yield f"{header}.{claims}.{signature[:-4]}AAAA"
    yield ".".join([encoded({"alg": "none"}), claims, ""])
    yield ".".join([encoded({"alg": "none"}), claims, signature])
    public = issuer.jwks()["keys"][0]["n"].encode()
    shared = f"{encoded({'alg': 'HS256', 'kid': issuer.kid})}.{claims}"
    mac = hmac.new(public, shared.encode(), hashlib.sha256).digest()
    yield f"{shared}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
    yield good + ".x"
    yield "no token at all"


def encoded(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_keys_roll_over(own, issuer):
    role = let_in(own, issuer, "rolling", {"StringEquals": {f"{issuer.name}:sub": "somebody"}})
    assert assume(own, role, issuer.token())["Credentials"]
    before = len(issuer.asked)
    for _ in range(3):
        assert assume(own, role, issuer.token())["Credentials"]
    assert len(issuer.asked) == before, "keys are remembered"
    old = issuer.token()
    issuer.roll("second", "ES256")
    assert assume(own, role, issuer.token())["Credentials"], "newer keys are asked for at once"
    assert len(issuer.asked) == before + 2
    assert assume(own, role, old)["Credentials"], "the old key still counts"
    for _ in range(3):
        assert refusal(own, role, issuer.token(header={"kid": "invented"})) == NO_KEY
    assert len(issuer.asked) == before + 2, "and then it is left alone for a while"


def test_an_issuer_that_is_down_or_hangs(own, authority):
    down, silent = Issuer(authority), Issuer(authority)
    role = let_in(own, down, "down", {"StringEquals": {f"{down.name}:sub": "somebody"}})
    token = down.token()
    down.stop()
    assert refusal(own, role, token) == NO_KEY
    role = let_in(own, silent, "silent", {"StringEquals": {f"{silent.name}:sub": "somebody"}})
    with silent.silent():
        begun = time.monotonic()
        assert refusal(own, role, silent.token()) == NO_KEY
        assert time.monotonic() - begun < 10, "five seconds, and some for a busy machine"
        begun = time.monotonic()
        assert refusal(own, role, silent.token()) == NO_KEY
        assert time.monotonic() - begun < 4, "it is not asked again at once"
    silent.stop()


def test_tags_and_who_is_behind_a_session(own, issuer):
    role = let_in(own, issuer, "tagged", {"StringEquals": {"aws:RequestTag/team": "shop"}})
    claims = {
        "https://aws.amazon.com/tags": {
            "principal_tags": {"team": ["shop"]},
            "transitive_tag_keys": ["team"],
        },
        "https://aws.amazon.com/source_identity": "ada",
    }
    answer = assume(own, role, issuer.token(**claims), DurationSeconds=900)
    assert answer["SourceIdentity"] == "ada"
    assert refusal(own, role, issuer.token()) == STRANGER


def test_a_thumbprint_vouches_where_no_authority_does(tmp_path, authority):
    issuer = Issuer(authority)
    server = Production(tmp_path)
    try:
        server.start("[oidc]\nallow_private = true\n")
        condition = {"StringEquals": {f"{issuer.name}:sub": "somebody"}}
        role = let_in(server, issuer, "pinned", condition, ThumbprintList=["0" * 40])
        assert refusal(server, role, issuer.token()) == NO_KEY
        arn = f"arn:aws:iam::{server.keys.account}:oidc-provider/{issuer.name}"
        server.client(REGION, service="iam").update_open_id_connect_provider_thumbprint(
            OpenIDConnectProviderArn=arn, ThumbprintList=[authority.thumbprint]
        )
        assert assume(server, role, issuer.token())["Credentials"]
    finally:
        server.stop()
        issuer.stop()


def test_neighbors_are_not_asked_unless_that_is_allowed(tmp_path, authority):
    issuer = Issuer(authority)
    server = Production(tmp_path)
    try:
        server.start(f'[oidc]\nca_bundle = "{authority.bundle}"\n')
        condition = {"StringEquals": {f"{issuer.name}:sub": "somebody"}}
        role = let_in(server, issuer, "private", condition)
        assert refusal(server, role, issuer.token()) == NO_KEY
        assert issuer.asked == []
        assert "oidc.allow_private" in server.stderr.read_text()
    finally:
        server.stop()
        issuer.stop()


def test_the_trail_has_the_subject_and_not_the_token(own, issuer):
    role = let_in(own, issuer, "trail", {"StringEquals": {f"{issuer.name}:sub": "somebody"}})
    token = issuer.token()
    assume(own, role, token)
    assert refusal(own, role, issuer.token(sub="else")) == STRANGER
    files = sorted(it for it in (own.data / "journal").iterdir() if it.is_file())
    journal = "".join(it.read_text(errors="replace") for it in files)
    event = "AssumeRoleWithWebIdentity"
    told = own.run("trail", "tail", "--json", "--event", event).stdout.splitlines()
    lines = [it for it in told if issuer.name in it]
    assert len(lines) == 2, "one that was let in, and one that was not"
    provider = f"arn:aws:iam::{own.keys.account}:oidc-provider/{issuer.name}"
    for line, subject in zip(lines, ["somebody", "else"]):
        record = json.loads(line)
        assert record["userIdentity"] == {
            "type": "WebIdentityUser",
            "principalId": f"{provider}:sts.amazonaws.com:{subject}",
            "userName": subject,
            "identityProvider": provider,
        }
    for part in token.split("."):
        assert part not in journal and part not in own.stderr.read_text()


def test_whom_of_a_shared_issuer(own):
    iam = own.client(REGION, service="iam")
    provider = f"arn:aws:iam::{own.keys.account}:oidc-provider/token.actions.githubusercontent.com"
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": provider},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}},
    }

    def create():
        text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        return iam.create_role(RoleName="shared", AssumeRolePolicyDocument=text)

    with pytest.raises(iam.exceptions.MalformedPolicyDocumentException) as caught:
        create()
    assert "token.actions.githubusercontent.com:sub" in str(caught.value)
    statement["Condition"]["StringLike"] = {
        "token.actions.githubusercontent.com:sub": "repo:octo/app:*"
    }
    assert create()["Role"]["RoleName"] == "shared"


def test_an_operator_brings_the_keys_of_a_cluster_without_an_address(own, issuer, tmp_path):
    issuer.url = f"https://kubernetes.invalid:{issuer.server.server_port}"
    issuer.name = issuer.url.removeprefix("https://")
    condition = {"StringLike": {f"{issuer.name}:sub": "system:serviceaccount:shop:*"}}
    role = let_in(own, issuer, "cluster", condition)
    arn = f"arn:aws:iam::{own.keys.account}:oidc-provider/{issuer.name}"
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(issuer.jwks()))
    assert "not asked any more" in own.run("oidc-provider", "set-keys", arn, str(keys)).stderr
    token = issuer.token(**of_kubernetes("shop", "web"))
    assert assume(own, role, token)["Credentials"]
    issuer.roll("second", replace=True)
    assert refusal(own, role, issuer.token(**of_kubernetes("shop", "web"))) == NO_KEY
    keys.write_text(json.dumps(issuer.jwks()))
    own.run("oidc-provider", "set-keys", arn, str(keys))
    assert assume(own, role, issuer.token(**of_kubernetes("shop", "web")))["Credentials"]
    assert refusal(own, role, token) == NO_KEY
    for wrong in ("[]", '{"keys":[]}', '{"keys":[{"kty":"oct","k":"AAAA"}]}'):
        keys.write_text(wrong)
        done = own.run("oidc-provider", "set-keys", arn, str(keys), check=False)
        assert done.returncode != 0 and "not a JSON Web Key Set" in done.stderr
    done = own.run("oidc-provider", "set-keys", arn + "x", str(keys), check=False)
    assert "there is no OpenID Connect provider" in done.stderr
    own.run("oidc-provider", "clear-keys", arn)
    assert refusal(own, role, issuer.token(**of_kubernetes("shop", "web"))) == NO_KEY
    event = "SetOpenIDConnectProviderKeys"
    told = own.run("trail", "tail", "--json", "--event", event).stdout.splitlines()
    assert [json.loads(it)["additionalEventData"]["keys"] for it in told] == [1, 1, 0]


def test_a_token_belongs_to_no_organization(own, issuer):
    """The role's account is in one; who comes with a token isn't, whatever the role's account is."""
    made = own.run("org", "create", "--management-account", own.keys.account, "--json")
    organization = json.loads(made.stdout)["OrganizationId"]
    subject = {f"{issuer.name}:sub": "system:serviceaccount:shop:web"}
    token = issuer.token(**of_kubernetes("shop", "web"))
    member = let_in(
        own, issuer, "member", {"StringEquals": subject | {"aws:PrincipalOrgID": organization}}
    )
    assert refusal(own, member, token) == STRANGER
    trusting = trust(own, issuer, {"StringEquals": subject})
    own.client(REGION, service="iam").update_assume_role_policy(
        RoleName="member", PolicyDocument=trusting
    )
    assert assume(own, member, token)["Credentials"]
