"""`strongroom credentials serve` that stores no key itself: by a web-identity token, a certificate, or the
pods' own tokens."""

import json

import pytest

import authority as certificates
import test_oidc
import test_roles_anywhere
from issuer import Issuer, of_kubernetes
from test_credentials import CONTAINER, IMDS, ME, Site
from test_oidc import authority, own  # noqa: F401: the server that may ask issuers of this machine


class Federated(Site):
    """A host whose agent is somebody by other means than a key."""

    def __init__(self, server, region, folder, role):
        self.server, self.region, self.folder, self.role = server, region, folder, role
        self.name = role.rsplit("/")[-1]

    def by_all(self, exports):
        for name in exports.keys() & {CONTAINER, IMDS}:
            yield self.by_boto3(**{name: exports[name]})
            yield self.by_cli(**{name: exports[name]})


@pytest.fixture
def issuer(authority):  # noqa: F811
    issuer = Issuer(authority)
    yield issuer
    issuer.stop()


def let_in(server, issuer, name, subject):
    condition = {"StringEquals": {f"{issuer.name}:sub": subject}}
    return test_oidc.let_in(server, issuer, name, condition)


def by_token(own, tmp_path, role):  # noqa: F811
    site = Federated(own, test_oidc.REGION, tmp_path, role)
    own.client(site.region).create_secret(Name="app/db", SecretString="s3cret")
    return site


def test_a_host_with_a_web_identity_token(own, issuer, tmp_path):  # noqa: F811
    site = by_token(own, tmp_path, let_in(own, issuer, "agent-host", "host-1"))
    token = tmp_path / "host-token"
    token.write_text(issuer.token(sub="host-1"))
    agent = site.agent(
        ME,
        listen=[("127.0.0.1:0", ["container", "imds"])],
        identity=f'kind = "web-identity"\ntoken_file = "{token}"',
    )
    with agent.running(offers=2) as exports:
        for seen in site.by_all(exports):
            assert seen == site.expected
    assert token.read_text() not in agent.log.read_text()
    own.client(site.region).delete_secret(SecretId="app/db", ForceDeleteWithoutRecovery=True)


def test_a_pod_with_its_service_accounts_token(own, issuer, tmp_path):  # noqa: F811
    role = let_in(own, issuer, "agent-pod", "system:serviceaccount:shop:web")
    site = by_token(own, tmp_path, role)
    token = tmp_path / "pod-token"
    token.write_text(issuer.token(**of_kubernetes("shop", "web")))
    rules = ['service_account = "shop/web"', 'service_account = "shop/other"']
    nobody = 'kind = "web-identity"\ntoken_file = "/nonexistent"'
    agent = site.agent(*rules, listen=[("127.0.0.1:0", ["pod-identity"])], identity=nobody)
    # Every workload brings a token: the agent needs no identity.
    agent.file.write_text(agent.file.read_text().replace(f"[identity]\n{nobody}\n", ""))
    with agent.running(offers=1) as exports:
        variables = exports | {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(token)}
        assert site.by_boto3(**variables) == site.expected
        assert site.by_cli(**variables) == site.expected
        # The role trusts one service account; a rule for another one changes nothing.
        token.write_text(issuer.token(**of_kubernetes("shop", "other")))
        with pytest.raises(AssertionError, match="AccessDenied"):
            site.by_boto3(**variables)
    assert "AccessDenied" in agent.log.read_text()
    own.client(site.region).delete_secret(SecretId="app/db", ForceDeleteWithoutRecovery=True)


@pytest.mark.parametrize("kind", [certificates.EC, certificates.RSA])
@pytest.mark.parametrize("named", [False, True])
def test_a_host_with_a_certificate(server, region, tmp_path, kind, named):
    ca = certificates.Authority(tmp_path / "root")
    world = test_roles_anywhere.World(server, region, ca)
    profile = world.anywhere.update_profile(
        profileId=world.profile["profileId"], acceptRoleSessionName=named
    )["profile"]
    site = Federated(server, region, tmp_path, world.role_arn)
    certificate, key = ca.issue("/CN=host-1", key=kind)
    agent = site.agent(
        ME,
        listen=[("127.0.0.1:0", ["container", "imds"])],
        identity=(
            f'kind = "x509"\ncertificate = "{certificate}"\nkey = "{key}"\n'
            f'trust_anchor_arn = "{world.anchor["trustAnchorArn"]}"\n'
            f'profile_arn = "{profile["profileArn"]}"\naccepts_session_names = {json.dumps(named)}'
        ),
    )
    with agent.running(offers=2) as exports:
        for secret, arn in site.by_all(exports):
            assert secret == "s"
            assert arn.startswith(site.expected[1].removesuffix("/app"))
            assert arn.endswith("/app") == named
