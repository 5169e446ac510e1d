"""Organizations and private endpoints: control policies put with the CLI, felt by unmodified boto3."""

import json
import subprocess

import pytest
from botocore.exceptions import ClientError

from strongroom import BINARY, Keys, Server

REGION = "us-east-1"
FULL = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def deny(action, **more):
    return {"Effect": "Deny", "Action": action, "Resource": "*"} | more


def refused(call, code="AccessDeniedException"):
    """The message of the refusal that `call` must end in."""
    with pytest.raises(ClientError) as caught:
        call()
    error = caught.value.response["Error"]
    assert error["Code"] == code, error
    return error["Message"]


class Company:
    """A server with an organization: a management account, a member in the unit `prod`, a stranger."""

    def __init__(self, server):
        self.server = server
        self.boss = server.keys
        self.member, self.other, self.stranger = (server.new_account() for _ in range(3))
        made = self.org("create", "--management-account", self.boss.account, "--json")
        self.id = json.loads(made)["OrganizationId"]
        self.org("unit", "create", "prod")
        self.org("account", "move", self.member.account, "--to", "prod")
        self.org("account", "move", self.other.account, "--to", "root")

    def org(self, *arguments, fails=None):
        done = self.server.run("org", *arguments, check=False)
        if fails is None:
            assert done.returncode == 0, done.stderr
            return done.stdout
        assert (done.returncode, done.stdout) == (3, ""), done
        assert fails in done.stderr
        return done.stderr

    def put(self, name, kind, target, *statements):
        """A policy `name` of `kind`, attached to `target`."""
        file = self.server.folder / f"{name}.json"
        file.write_text(policy(*statements))
        self.org("policy", "create", name, "--type", kind, "--file", str(file))
        self.org("policy", "attach", name, "--to", target)

    def take(self, name, target):
        self.org("policy", "detach", name, "--from", target)
        self.org("policy", "delete", name)

    def client(self, keys, service="secretsmanager"):
        return self.server.client(REGION, service=service, keys=keys)

    def role(self, keys, name):
        """A session of a role of the account of `keys`, which may do everything."""
        iam = self.client(keys, "iam")
        trust = {"Effect": "Allow", "Principal": {"AWS": keys.account}, "Action": "sts:AssumeRole"}
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))["Role"]["Arn"]
        iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=policy(FULL))
        sts = self.client(keys, "sts")
        session = sts.assume_role(RoleArn=arn, RoleSessionName="s1")["Credentials"]
        return Keys.of_session(keys.account, session)


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("company"))
    try:
        yield Company(server.start())
    finally:
        server.stop()


def simulated(company, user, arn):
    """What a simulation for a member's user says: the decision, and whether the organization allows it."""
    iam = company.client(company.member, "iam")
    asked = {"PolicySourceArn": user, "ActionNames": ["secretsmanager:GetSecretValue"], "ResourceArns": [arn]}
    (result,) = iam.simulate_principal_policy(**asked)["EvaluationResults"]
    return result["EvalDecision"], result["OrganizationsDecisionDetail"]["AllowedByOrganizations"]


def test_a_service_control_policy_denies_at_once(company):
    client = company.client(company.member)
    arn = client.create_secret(Name="scp", SecretString="s")["ARN"]
    user = f"arn:aws:iam::{company.member.account}:user/admin"
    asked = f"User: {user} is not authorized to perform: secretsmanager:GetSecretValue on resource: {arn}"
    read = lambda: client.get_secret_value(SecretId="scp")
    assert read()["SecretString"] == "s"

    company.put("no-read", "scp", "prod", deny("secretsmanager:GetSecretValue"))
    assert refused(read) == f"{asked} with an explicit deny in a service control policy"
    assert simulated(company, user, arn) == ("explicitDeny", False)
    company.take("no-read", "prod")
    read()
    assert simulated(company, user, arn) == ("allowed", True)

    company.put("lists-only", "scp", "prod", FULL | {"Action": "secretsmanager:List*"})
    company.org("policy", "detach", "FullAWSAccess", "--from", "prod")
    reason = "because no service control policy allows the secretsmanager:GetSecretValue action"
    assert refused(read) == f"{asked} {reason}"
    client.list_secrets()
    company.org("account", "move", company.member.account, "--to", "root")
    read()
    company.org("account", "move", company.member.account, "--to", "prod")
    company.org("policy", "attach", "FullAWSAccess", "--to", "prod")
    company.take("lists-only", "prod")
    read()


def test_the_management_account_is_not_concerned(company):
    boss, other = company.client(company.boss), company.client(company.other)
    company.put("nothing", "scp", "root", deny("*"))
    boss.list_secrets()
    message = refused(other.list_secrets)
    assert message.endswith("with an explicit deny in a service control policy")
    company.client(company.other, "sts").get_caller_identity()
    company.client(company.stranger).list_secrets()
    company.take("nothing", "root")


def test_a_secret_for_the_organization(company):
    owner = company.client(company.member)
    owner_kms = company.client(company.member, "kms")
    key_statement = FULL | {"Principal": {"AWS": company.member.account}, "Action": "kms:*"}
    inside = {"StringEquals": {"aws:PrincipalOrgID": company.id}}
    use = {"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*", "Condition": inside}
    key = owner_kms.create_key(Policy=policy(key_statement, use))["KeyMetadata"]["Arn"]
    arn = owner.create_secret(Name="shared", SecretString="s", KmsKeyId=key)["ARN"]
    open_to_all = {"Effect": "Allow", "Principal": "*", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}
    message = refused(
        lambda: owner.put_resource_policy(
            SecretId=arn, ResourcePolicy=policy(open_to_all), BlockPublicPolicy=True
        ),
        "PublicPolicyException",
    )
    assert message
    for condition, public in [
        (inside, False),
        ({"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": f"{company.id}/*"}}, False),
        ({"StringEquals": {"aws:PrincipalOrgID": "o-*"}}, True),
        ({"StringEqualsIfExists": {"aws:PrincipalOrgID": company.id}}, True),
        ({"StringNotEquals": {"aws:PrincipalOrgID": company.id}}, True),
        ({"StringEquals": {"aws:ResourceOrgID": company.id}}, True),
    ]:
        document = policy(open_to_all | {"Condition": condition})
        shown = owner.validate_resource_policy(SecretId=arn, ResourcePolicy=document)
        assert shown["PolicyValidationPassed"] is not public, condition
    document = policy(open_to_all | {"Condition": inside})
    owner.put_resource_policy(SecretId=arn, ResourcePolicy=document, BlockPublicPolicy=True)

    role = company.client(company.role(company.other, "reader"))
    assert role.get_secret_value(SecretId=arn)["SecretString"] == "s"
    boss = company.client(company.boss)
    assert boss.get_secret_value(SecretId=arn)["SecretString"] == "s"
    stranger = company.client(company.stranger)
    assert "no resource-based policy allows" in refused(lambda: stranger.get_secret_value(SecretId=arn))

    # Who leaves the organization is a stranger at the next request.
    company.org("account", "remove", company.other.account)
    refused(lambda: role.get_secret_value(SecretId=arn))
    company.org("account", "move", company.other.account, "--to", "root")
    role.get_secret_value(SecretId=arn)


def test_a_resource_control_policy_keeps_strangers_out(company):
    owner = company.client(company.member)
    arn = owner.create_secret(Name="perimeter", SecretString="s")["ARN"]
    kms = company.client(company.member, "kms")
    statement = FULL | {"Principal": {"AWS": [it.account for it in (company.member, company.stranger)]}}
    key = kms.create_key(Policy=policy(statement | {"Action": "kms:*"}))["KeyMetadata"]["Arn"]
    owner.update_secret(SecretId=arn, KmsKeyId=key, SecretString="s")
    document = policy(statement | {"Action": "secretsmanager:GetSecretValue"})
    owner.put_resource_policy(SecretId=arn, ResourcePolicy=document)
    stranger = company.client(company.stranger)
    stranger_kms = company.client(company.stranger, "kms")
    read = lambda: stranger.get_secret_value(SecretId=arn)
    assert read()["SecretString"] == "s"

    # STS is covered, too: a role of the member that trusts the stranger.
    iam = company.client(company.member, "iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": company.stranger.account}, "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName="open", AssumeRolePolicyDocument=policy(trust))["Role"]["Arn"]
    sts = company.client(company.stranger, "sts")
    assume = lambda: sts.assume_role(RoleArn=role, RoleSessionName="s1")
    assume()

    outside = {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": company.id}}
    services = ["secretsmanager:*", "kms:*", "sts:*"]
    company.put("perimeter", "rcp", "prod", deny(services, Principal="*", Condition=outside))
    assert refused(read).endswith("with an explicit deny in a resource control policy")
    assert refused(lambda: stranger_kms.describe_key(KeyId=key)).endswith(
        "with an explicit deny in a resource control policy"
    )
    refused(assume, "AccessDenied")
    assert owner.get_secret_value(SecretId=arn)["SecretString"] == "s"
    company.take("perimeter", "prod")
    assume()
    read()


def test_what_is_refused(company):
    file = company.server.folder / "bad.json"
    create = ("policy", "create", "bad", "--file", str(file), "--type")
    for kind, statement, reason in [
        ("scp", deny("*", Principal="*"), "should not specify a principal"),
        ("rcp", deny("*", Principal="*"), "Syntax errors in policy."),
        ("rcp", deny("s3:*", Principal={"AWS": company.boss.account}), "Syntax errors in policy."),
        ("rcp", FULL | {"Principal": "*", "Action": "s3:*"}, "Syntax errors in policy."),
        ("rcp", deny("s3:*"), "resource control policy"),
        ("scp", deny("*", Sid="x" * 11_000), "has 11"),
    ]:
        file.write_text(policy(statement))
        company.org(*create, kind, fails=reason)
    company.org("create", "--management-account", company.boss.account, fails="an organization already")
    company.org("policy", "detach", "FullAWSAccess", "--from", "prod", fails="must keep one")
    company.org("policy", "detach", "RCPFullAWSAccess", "--from", "prod", fails="AWS's own")
    company.org("account", "remove", company.boss.account, fails="management account")
    company.org("unit", "delete", "prod", fails="not empty")
    company.org("delete", fails="not empty")


def test_the_tree_and_the_trail(company):
    company.org("unit", "create", "eu", "--in", "prod")
    shown = company.org("show").splitlines()
    assert shown[0] == f"{company.id}, managed by {company.boss.account}"
    assert any(it.startswith("│   └── eu  ou-") or it.startswith("    └── eu  ou-") for it in shown)
    tree = json.loads(company.org("show", "--json"))
    assert tree["Root"]["Units"][0]["Accounts"][0]["AccountId"] == company.member.account
    names = [it["Name"] for it in json.loads(company.org("policy", "list", "--json"))["Policies"]]
    assert names == ["FullAWSAccess", "RCPFullAWSAccess"]
    assert json.loads(company.org("policy", "show", "FullAWSAccess"))["Statement"]
    company.org("unit", "delete", "prod/eu")
    segments = (company.server.data / "journal").glob("*.log")
    journal = "".join(it.read_text() for it in segments)
    for event in ["CreateOrganization", "MoveAccount", "AttachPolicy", "DeleteOrganizationalUnit"]:
        assert f'"eventName":"{event}"' in journal


CONFIGURATION = """
[server]
data = "{folder}/data"
listen = ["unix:{folder}/api.sock"]
{rest}
"""


def test_mistakes_stop_the_start(tmp_path):
    file = tmp_path / "strongroom.toml"
    organization = '[organization]\nmanagement_account = "111122223333"\n'
    policies = '[organization.policies.guard]\ntype = "scp"\n'
    text = policy(deny("*"))
    for rest, said in [
        (organization + 'service_control = ["guard"]', "there is no policy `guard`"),
        (organization + "service_control = []", "`root` must keep one service control policy"),
        (organization + policies, "needs `file` or `document`"),
        (organization + policies + 'file = "/nowhere"', "can't read `/nowhere`"),
        (organization + policies + f"document = '{text[:-1]}'", "no service control policy"),
        (organization + '[organization.units."a/b"]', "there is no unit `a`"),
        ('[organization]\nmanagement_account = "1"', "organization.management_account"),
        ('[[endpoint]]\nlisten = "127.0.0.1:1"\nvpc_endpoint = "vpce-1"', "is not in `server.listen`"),
    ]:
        file.write_text(CONFIGURATION.format(folder=tmp_path, rest=rest))
        line = [BINARY, "server", "--config", str(file), "--check"]
        done = subprocess.run(line, capture_output=True, text=True, timeout=60)
        assert done.returncode == 3 and said in done.stderr, (rest, done.stderr)
        assert done.stderr.count("\n") == 1, done.stderr
    assert not (tmp_path / "data").exists()
