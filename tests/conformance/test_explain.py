"""Why was it denied, what would allow it, and what would a policy change: real denials, and the way out of each."""

import itertools
import json
import uuid

import pytest
from botocore.exceptions import ClientError

from strongroom import Keys

_names = itertools.count(1)
CANARY = "canary-5b1fcb2f6d5c"
READ = "secretsmanager:GetSecretValue"


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action, resource="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource} | more


def deny(action, resource="*", **more):
    return allow(action, resource) | {"Effect": "Deny"} | more


def denied(call):
    """The request id of the denial that `call` must end in, which the answer names twice."""
    with pytest.raises(ClientError) as caught:
        call()
    response = caught.value.response
    assert response["Error"]["Code"].startswith("AccessDenied"), response
    headers = response["ResponseMetadata"]["HTTPHeaders"]
    request_id = response["ResponseMetadata"]["RequestId"]
    assert headers["x-amzn-authorization-id"] == request_id == str(uuid.UUID(request_id))
    return request_id


@pytest.fixture
def name():
    return f"x{next(_names)}"


@pytest.fixture
def iam(server, region):
    return server.client(region, service="iam")


@pytest.fixture
def admin(server, region):
    return server.client(region)


@pytest.fixture
def user(server, iam, name):
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return Keys(server.keys.account, key["AccessKeyId"], key["SecretAccessKey"])


@pytest.fixture
def explain(server):
    """The records of a request, as `strongroom explain --json` tells them; its words must come, too."""

    def ask(request_id):
        assert server.run("explain", request_id).stdout
        told = json.loads(server.run("explain", request_id, "--json").stdout)
        assert CANARY not in json.dumps(told)
        return told["Records"]

    return ask


@pytest.fixture
def message(server):
    """The sealed message in the record of a request."""

    def find(request_id, event=None):
        lines = server.run("trail", "tail", "--json", "--errors").stdout.splitlines()
        records = [json.loads(it) for it in lines if request_id in it]
        of = [it for it in records if event in (None, it["eventName"])]
        return of[-1]["additionalEventData"]["encodedAuthorizationMessage"]

    return find


def user_arn(server, name):
    return f"arn:aws:iam::{server.keys.account}:user/{name}"


def only(changes):
    assert len(changes) == 1, changes
    return changes[0]


def test_no_identity_statement(server, region, iam, admin, user, name, explain, message):
    arn = admin.create_secret(Name="app/db", SecretString=CANARY)["ARN"]
    client = server.client(region, keys=user)
    request_id = denied(lambda: client.get_secret_value(SecretId="app/db"))

    [record] = explain(request_id)
    [why] = record["Then"]
    assert (why["Decision"], why["By"]) == ("i", "identity-based policy")
    change = only(why["Changes"])
    assert user_arn(server, name) in change["Text"]
    assert change["Statement"] == allow(READ, arn)

    encoded = message(request_id)
    assert len(encoded) <= 10240
    sts = server.client(region, service="sts")
    decoded = json.loads(sts.decode_authorization_message(EncodedMessage=encoded)["DecodedMessage"])
    assert (decoded["allowed"], decoded["explicitDeny"]) == (False, False)
    assert decoded["matchedStatements"] == decoded["failures"] == {"items": []}
    context = decoded["context"]
    assert context["principal"]["arn"] == user_arn(server, name)
    assert context["principal"]["name"] == name and context["principal"]["id"].startswith("AIDA")
    assert (context["action"], context["resource"]) == (READ, arn)
    conditions = {
        it["key"]: [value["value"] for value in it["values"]["items"]]
        for it in context["conditions"]["items"]
    }
    assert conditions["aws:SourceIp"] == ["127.0.0.1"]

    iam.put_user_policy(
        UserName=name, PolicyName="new", PolicyDocument=policy(change["Statement"])
    )
    assert client.get_secret_value(SecretId="app/db")["SecretString"] == CANARY
    assert explain(request_id)[0]["Today"]["Allowed"] is True


def test_what_was_allowed_is_asked_again(server, region, iam, admin, user, name, explain):
    admin.create_secret(Name="app/db", SecretString=CANARY)
    document = policy(allow("*", Sid="All"))
    iam.put_user_policy(UserName=name, PolicyName="all", PolicyDocument=document)
    client = server.client(region, keys=user)
    answer = client.get_secret_value(SecretId="app/db", VersionStage="AWSCURRENT")
    [record] = explain(answer["ResponseMetadata"]["RequestId"])
    assert (record["Then"], record["Today"]["Allowed"]) == ([], True)
    [statement] = [it for it in record["Today"]["Why"]["Statements"] if it["Decided"]]
    assert (statement["Policy"], statement["Place"]) == ("all", "statement `All` (line 1)")


def test_explicit_deny_with_a_condition(server, region, iam, admin, user, name, explain, message):
    arn = admin.create_secret(Name="app/db", SecretString=CANARY)["ARN"]
    guard = deny(
        "secretsmanager:*", Sid="Tls", Condition={"Bool": {"aws:SecureTransport": "false"}}
    )
    document = policy(allow(READ, arn), guard)
    iam.put_user_policy(UserName=name, PolicyName="app", PolicyDocument=document)
    client = server.client(region, keys=user)
    request_id = denied(lambda: client.get_secret_value(SecretId="app/db"))

    [why] = explain(request_id)[0]["Then"]
    assert why["Decision"] == "e"
    deciding = [it for it in why["Statements"] if it["Decided"]]
    assert [(it["Policy"], it["Place"]) for it in deciding] == [("app", "statement `Tls` (line 1)")]
    [condition] = deciding[0]["Conditions"]
    assert (condition["Key"], condition["Actual"]) == ("aws:SecureTransport", ["false"])
    assert condition["Holds"]
    change = only(why["Changes"])
    assert "aws:SecureTransport" in change["Text"]

    sts = server.client(region, service="sts")
    told = sts.decode_authorization_message(EncodedMessage=message(request_id))["DecodedMessage"]
    matched = {it["statementId"]: it for it in json.loads(told)["matchedStatements"]["items"]}
    assert (matched["Tls"]["effect"], matched[""]["effect"]) == ("DENY", "ALLOW")
    assert matched["Tls"]["actions"] == {"items": [{"value": "secretsmanager:*"}]}

    document = policy(allow(READ, arn), change["Statement"])
    iam.put_user_policy(UserName=name, PolicyName="app", PolicyDocument=document)
    client.get_secret_value(SecretId="app/db")
    denied(lambda: client.put_secret_value(SecretId="other", SecretString="x"))


def test_across_accounts_both_sides_must(server, region, iam, admin, stranger, explain, message):
    key = admin_key = server.client(region, service="kms").create_key()["KeyMetadata"]["Arn"]
    arn = admin.create_secret(Name="app/db", SecretString=CANARY, KmsKeyId=key)["ARN"]
    silent = allow("secretsmanager:DescribeSecret", Sid="Theirs", Principal={"AWS": stranger.account})
    admin.put_resource_policy(SecretId="app/db", ResourcePolicy=policy(silent))
    client = server.client(region, keys=stranger)
    request_id = denied(lambda: client.get_secret_value(SecretId=arn))

    [record] = explain(request_id)
    caller, owner = record["Then"]
    assert (caller["Side"], owner["Side"]) == ("caller", "owner")
    assert caller["By"] is None and owner["By"] == "resource-based policy"
    assert any("neither can do it alone" in it["Text"] for it in caller["Changes"])
    sts = server.client(region, service="sts", keys=stranger)
    told = sts.decode_authorization_message(EncodedMessage=message(request_id))["DecodedMessage"]
    assert "Theirs" not in told and "DescribeSecret" not in told
    # What the caller's account may read, the owner's may not.
    with pytest.raises(ClientError) as caught:
        server.client(region, service="sts").decode_authorization_message(
            EncodedMessage=message(request_id)
        )
    assert caught.value.response["Error"]["Code"] == "InvalidAuthorizationMessageException"

    theirs = only(owner["Changes"])
    assert theirs["Account"] == server.keys.account
    admin.put_resource_policy(
        SecretId="app/db", ResourcePolicy=policy(silent, theirs["Statement"])
    )
    request_id = denied(lambda: client.get_secret_value(SecretId=arn))
    outer, inner = explain(request_id)
    assert outer["ErrorMessage"] == "Access to KMS is not allowed"
    assert outer["ExplainedBy"] == {"eventSource": "kms.amazonaws.com", "eventName": "Decrypt"}
    [change] = [it for why in inner["Then"] if why["Side"] == "owner" for it in why["Changes"]]
    kms = server.client(region, service="kms")
    own = json.loads(kms.get_key_policy(KeyId=admin_key)["Policy"])["Statement"]
    kms.put_key_policy(KeyId=admin_key, Policy=policy(*own, change["Statement"]))
    assert client.get_secret_value(SecretId=arn)["SecretString"] == CANARY


def test_a_stranger_learns_nothing_of_what_exists(server, region, admin, stranger, message):
    admin.create_secret(Name="there", SecretString=CANARY, Tags=[{"Key": "team", "Value": "red"}])
    sts = server.client(region, service="sts", keys=stranger)
    client = server.client(region, keys=stranger)

    def told(name):
        arn = f"arn:aws:secretsmanager:{region}:{server.keys.account}:secret:{name}"
        request_id = denied(lambda: client.get_secret_value(SecretId=arn))
        decoded = sts.decode_authorization_message(EncodedMessage=message(request_id))
        return decoded["DecodedMessage"]

    assert told("there") == told("their").replace("their", "there")


def test_key_policy(server, region, iam, admin, user, name, explain):
    kms = server.client(region, service="kms")
    alone = allow("kms:*", Principal={"AWS": user_arn(server, "admin")})
    key = kms.create_key(Policy=policy(alone))["KeyMetadata"]["Arn"]
    admin.create_secret(Name="app/db", SecretString=CANARY, KmsKeyId=key)
    iam.put_user_policy(UserName=name, PolicyName="all", PolicyDocument=policy(allow("*")))
    client = server.client(region, keys=user)
    request_id = denied(lambda: client.get_secret_value(SecretId="app/db"))

    outer, inner = explain(request_id)
    assert outer["Then"] == [] and inner["EventName"] == "Decrypt"
    [why] = inner["Then"]
    assert why["By"] == "resource-based policy"
    assert {"Key": "kms:ViaService", "Values": [f"secretsmanager.{region}.amazonaws.com"]} not in (
        why["Conditions"]
    ), "no policy asked for it"
    change = only(why["Changes"])
    assert change["Text"].startswith(f"the key policy of {key} must name")
    kms.put_key_policy(KeyId=key, Policy=policy(alone, change["Statement"]))
    assert client.get_secret_value(SecretId="app/db")["SecretString"] == CANARY


def test_boundary(server, region, iam, admin, user, name, explain):
    admin.create_secret(Name="app/db", SecretString=CANARY)
    cap = policy(allow(["iam:*", "kms:*"]))
    arn = iam.create_policy(PolicyName=f"cap-{name}", PolicyDocument=cap)["Policy"]["Arn"]
    iam.put_user_permissions_boundary(UserName=name, PermissionsBoundary=arn)
    iam.put_user_policy(UserName=name, PolicyName="all", PolicyDocument=policy(allow("*")))
    client = server.client(region, keys=user)
    request_id = denied(lambda: client.get_secret_value(SecretId="app/db"))

    [why] = explain(request_id)[0]["Then"]
    assert why["By"] == "permissions boundary"
    change = only(why["Changes"])
    assert arn in change["Text"]
    iam.create_policy_version(
        PolicyArn=arn,
        PolicyDocument=policy(allow(["iam:*", "kms:*"]), change["Statement"]),
        SetAsDefault=True,
    )
    client.get_secret_value(SecretId="app/db")


def test_session_policy(server, region, iam, admin, name, explain):
    admin.create_secret(Name="app/db", SecretString=CANARY)
    account = server.keys.account
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": account}}
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=policy(allow("*")))
    sts = server.client(region, service="sts")

    def session(*statements):
        begun = sts.assume_role(
            RoleArn=role, RoleSessionName="s1", Policy=policy(*statements)
        )
        return server.client(region, keys=Keys.of_session(account, begun["Credentials"]))

    narrow = allow(["secretsmanager:DescribeSecret", "kms:*"])
    request_id = denied(lambda: session(narrow).get_secret_value(SecretId="app/db"))
    [why] = explain(request_id)[0]["Then"]
    assert why["By"] == "session policy"
    change = only(why["Changes"])
    session(narrow, change["Statement"]).get_secret_value(SecretId="app/db")


def test_only_messages_of_ours_are_decoded(server, region, admin, user, stranger, message):
    admin.create_secret(Name="app/db", SecretString=CANARY)
    client = server.client(region, keys=user)
    encoded = message(denied(lambda: client.get_secret_value(SecretId="app/db")))
    sts = server.client(region, service="sts")
    flipped = encoded[:60] + ("A" if encoded[60] != "A" else "B") + encoded[61:]
    foreign = server.client(region, service="sts", keys=stranger)
    for who, text in [
        (sts, flipped),
        (sts, encoded[:-4]),
        (sts, encoded + "AAAA"),
        (sts, "x"),
        (sts, encoded + "\n"),
        (foreign, encoded),
    ]:
        with pytest.raises(ClientError) as caught:
            who.decode_authorization_message(EncodedMessage=text)
        error = caught.value.response["Error"]
        assert error["Code"] == "InvalidAuthorizationMessageException", (text, error)
    own = server.client(region, service="sts", keys=user)
    denied(lambda: own.decode_authorization_message(EncodedMessage=encoded))


def test_no_such_request(server):
    for request_id, said in [
        (str(uuid.uuid4()), "no record of the request"),
        ("nonsense", "is not the id of a request"),
    ]:
        done = server.run("explain", request_id, check=False)
        assert done.returncode == 3 and said in done.stderr


def test_simulate(server, region, iam, admin, user, name, tmp_path):
    arn = admin.create_secret(Name="app/db", SecretString=CANARY)["ARN"]
    before = policy(allow("secretsmanager:*"))
    iam.put_user_policy(UserName=name, PolicyName="now", PolicyDocument=before)
    client = server.client(region, keys=user)
    client.get_secret_value(SecretId="app/db")
    client.get_secret_value(SecretId="app/db", VersionStage="AWSCURRENT")
    client.describe_secret(SecretId="app/db")
    denied(lambda: server.client(region, service="kms", keys=user).list_keys())

    def simulate(statement, *more, to=user_arn(server, name)):
        file = tmp_path / "policy.json"
        file.write_text(policy(statement))
        line = ["simulate", "--policy", str(file), "--attach-to", to, *more]
        words = server.run(*line, check=False)
        done = server.run(*line, "--json", check=False)
        assert words.returncode == done.returncode, words.stderr
        groups = json.loads(done.stdout)["Groups"] if done.stdout else done.stderr
        return done.returncode, groups

    replaced = ("--replace", "now")
    assert simulate(allow("secretsmanager:*"), *replaced) == (0, [])
    code, [group] = simulate(allow("secretsmanager:Describe*"), *replaced)
    assert code == 1
    assert (group["Change"], group["Action"], group["Resource"]) == ("denied", READ, arn)
    assert (group["Count"], group["Principal"]) == (2, user_arn(server, name))
    assert group["First"] <= group["Last"]
    stage = {"StringEquals": {"secretsmanager:VersionStage": "AWSCURRENT"}}
    code, [group] = simulate(deny(READ, Condition=stage))
    assert (code, group["Count"]) == (1, 1)
    code, [group] = simulate(allow("kms:ListKeys"))
    assert (code, group["Change"], group["Resource"]) == (4, "allowed", "*")
    code, [group] = simulate(deny(READ, Principal={"AWS": user_arn(server, name)}), to=arn)
    assert (code, group["Count"]) == (1, 2)
    code, said = simulate(allow("*"), "--replace", "none")
    assert code == 3 and "has no policy `none`" in said
    code, said = simulate(allow("*"), to=user_arn(server, "no-such-user"))
    assert code == 3 and "is not a user" in said
    assert client.get_secret_value(SecretId="app/db")["SecretString"] == CANARY


def test_simulate_for_a_group_a_boundary_and_a_trust_policy(server, region, iam, admin, user, name, tmp_path):
    admin.create_secret(Name="app/db", SecretString=CANARY)
    group = iam.create_group(GroupName=f"g-{name}")["Group"]["Arn"]
    iam.put_group_policy(
        GroupName=f"g-{name}", PolicyName="now", PolicyDocument=policy(allow("secretsmanager:*"))
    )
    iam.add_user_to_group(GroupName=f"g-{name}", UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="now", PolicyDocument=policy(allow("sts:*")))
    mine = user_arn(server, name)
    trusting = allow("sts:AssumeRole", Principal={"AWS": mine})
    trusting.pop("Resource")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trusting))["Role"]["Arn"]
    client, sts = server.client(region, keys=user), server.client(region, service="sts", keys=user)
    client.get_secret_value(SecretId="app/db")
    client.describe_secret(SecretId="app/db")
    sts.assume_role(RoleArn=role, RoleSessionName="app")
    admin.list_secrets()

    def simulate(statement, to, *more):
        file = tmp_path / "policy.json"
        file.write_text(policy(statement))
        done = server.run("simulate", "--policy", str(file), "--attach-to", to, "--json", *more, check=False)
        if done.returncode == 3:
            return done.stderr
        groups = json.loads(done.stdout)["Groups"]
        assert {it["Principal"] for it in groups} <= {mine}
        return sorted((it["Change"], it["Action"]) for it in groups)

    describe, become = "secretsmanager:DescribeSecret", "sts:AssumeRole"
    # The user has a policy of that name of its own, which stays.
    assert simulate(allow(READ), group, "--replace", "now") == [("denied", describe)]
    assert simulate(deny(READ), group) == [("denied", READ)]
    assert simulate(allow("*"), group) == []
    assert simulate(allow(["secretsmanager:Get*", "sts:*"]), mine, "--as", "boundary") == [("denied", describe)]
    other = trusting | {"Principal": {"AWS": server.keys.account}}
    stricter = {"StringEquals": {"sts:ExternalId": "x"}}
    assert simulate(other, role, "--as", "trust") == []
    assert simulate(trusting | {"Condition": stricter}, role, "--as", "trust") == [("denied", become)]
    for statement, to, more, said in [
        (allow("*"), group, ["--as", "boundary"], "is not a user or a role that there is"),
        (trusting, mine, ["--as", "trust"], "is not a role that there is"),
        (trusting, role + "x", ["--as", "trust"], "is not a role that there is"),
        (allow("*"), group + "x", [], "is not a user, a group, a role, a secret or a key"),
        (allow("*"), group, ["--replace", "none"], "has no policy `none`"),
        (allow("*"), mine, ["--as", "boundary", "--replace", "now"], "has one policy of this kind"),
        (allow("*"), role, ["--as", "trust"], "the policy is malformed"),
    ]:
        assert said in simulate(statement, to, *more)



def test_a_missing_second_factor_is_not_argued_away(server, region, iam, user, name, explain):
    """What a statement asks of the request comes first; a statement that asks for less comes second."""
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{server.keys.account}:user/{name}"},
        "Action": "sts:AssumeRole",
        "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
    }
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(statement))["Role"]["Arn"]
    sts = server.client(region, service="sts", keys=user)
    request_id = denied(lambda: sts.assume_role(RoleArn=role, RoleSessionName="s1"))
    text = json.dumps(explain(request_id))
    assert "the request must meet what statement 1 (line 1)" in text
    assert "asks of aws:MultiFactorAuthPresent; or else" in text
