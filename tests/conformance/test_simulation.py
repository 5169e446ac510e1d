"""What would be decided: the simulating operations, and `strongroom who-can`."""

import json
import os
import pathlib
import subprocess
import sys

import pytest
from botocore.exceptions import ClientError

from strongroom import Keys
GET = "secretsmanager:GetSecretValue"


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action, resource="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource} | more


def refused(call):
    with pytest.raises(ClientError) as caught:
        call()
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


@pytest.fixture(scope="module")
def iam(server):
    return server.client("us-east-1", service="iam")


def test_custom_policy(server, iam):
    arn = f"arn:aws:secretsmanager:us-east-1:{server.keys.account}:secret:app-a1b2c3"
    office = {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}
    document = policy(allow(GET, Condition=office), {"Effect": "Deny", "Action": "kms:*", "Resource": "*"})
    keys = iam.get_context_keys_for_custom_policy(PolicyInputList=[document])["ContextKeyNames"]
    assert keys == ["aws:SourceIp"]
    asked = {"PolicyInputList": [document], "ActionNames": [GET, "kms:Decrypt", "s3:GetObject"]}
    answer = iam.simulate_custom_policy(**asked)
    decisions = {it["EvalActionName"]: it["EvalDecision"] for it in answer["EvaluationResults"]}
    assert decisions == {GET: "implicitDeny", "kms:Decrypt": "explicitDeny", "s3:GetObject": "implicitDeny"}
    assert answer["EvaluationResults"][0]["MissingContextValues"] == ["aws:SourceIp"]
    assert answer["IsTruncated"] is False
    entry = {"ContextKeyName": "aws:SourceIp", "ContextKeyType": "ip", "ContextKeyValues": ["10.1.2.3"]}
    answer = iam.simulate_custom_policy(**asked, ContextEntries=[entry], ResourceArns=[arn])
    result = answer["EvaluationResults"][0]
    assert result["EvalDecision"] == "allowed" and result["EvalDecisionDetails"] == {}
    [specific] = result["ResourceSpecificResults"]
    assert (specific["EvalResourceName"], specific["EvalResourceDecision"]) == (arn, "allowed")
    [matched] = specific["MatchedStatements"]
    assert matched["SourcePolicyId"] == "PolicyInputList.1"
    assert matched["SourcePolicyType"] == "IAM Policy"
    start = document.index("[") + 2  # behind the bracket, counted from 1
    assert matched["StartPosition"] == {"Line": 1, "Column": start}


def test_every_page(iam):
    actions = [f"s3:Get{number}" for number in range(7)]
    pages = iam.get_paginator("simulate_custom_policy").paginate(
        PolicyInputList=[policy(allow("s3:*"))], ActionNames=actions, PaginationConfig={"PageSize": 3}
    )
    found = [it["EvalActionName"] for page in pages for it in page["EvaluationResults"]]
    assert found == actions


def test_principal_policy(server, iam):
    user = iam.create_user(UserName="simulated")["User"]["Arn"]
    document = policy(allow(GET, "arn:aws:secretsmanager:*:*:secret:${aws:username}/*"))
    iam.put_user_policy(UserName="simulated", PolicyName="own", PolicyDocument=document)
    arn = f"arn:aws:secretsmanager:us-east-1:{server.keys.account}:secret:simulated/x-a1b2c3"
    asked = {"PolicySourceArn": user, "ActionNames": [GET], "ResourceArns": [arn]}

    def result(**more):
        return iam.simulate_principal_policy(**asked, **more)["EvaluationResults"][0]

    assert result()["EvalDecision"] == "allowed"
    assert result()["MatchedStatements"][0]["SourcePolicyId"] == "user_simulated_own"
    capped = result(PermissionsBoundaryPolicyInputList=[policy(allow("s3:*"))])
    assert capped["EvalDecision"] == "implicitDeny"
    assert capped["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False}
    keys = iam.get_context_keys_for_principal_policy(PolicySourceArn=user)["ContextKeyNames"]
    assert keys == ["aws:username"]
    code, message = refused(lambda: iam.simulate_principal_policy(**asked | {"PolicySourceArn": user + "x"}))
    assert (code, message) == ("NoSuchEntity", "The user with name simulatedx cannot be found.")
    code, _ = refused(lambda: iam.simulate_principal_policy(**asked | {"ResourceArns": ["x"]}))
    assert code == "InvalidInput"


def test_aws_cli(server):
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    program = str(pathlib.Path(sys.executable).with_name("aws"))
    line = [program, "iam", "simulate-custom-policy", "--policy-input-list", policy(allow("dynamodb:*"))]
    line += ["--action-names", "dynamodb:CreateBackup", "--output", "json"]
    done = subprocess.run(line, env=kept | server.environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    [result] = json.loads(done.stdout)["EvaluationResults"]
    assert (result["EvalDecision"], result["EvalResourceName"]) == ("allowed", "*")


@pytest.fixture(scope="module")
def world(server, stranger):
    """A secret, and people who reach it in every way there is."""
    region = "us-who-1"
    here = {it: server.client(region, service=it) for it in ("iam", "kms", "secretsmanager")}
    there = server.client(region, service="iam", keys=stranger)
    iam, kms, secrets = here.values()
    account, other = server.keys.account, stranger.account
    arn = secrets.create_secret(Name="who/db", SecretString="s")["ARN"]
    read = policy(allow(GET))
    names = ["grouped", "office", "forbidden", "capped", "nobody"]
    users = {it: iam.create_user(UserName=it)["User"]["Arn"] for it in names}
    iam.create_group(GroupName="readers")
    document = policy({"Sid": "Read"} | allow(GET))
    iam.put_group_policy(GroupName="readers", PolicyName="read", PolicyDocument=document)
    iam.add_user_to_group(GroupName="readers", UserName="grouped")
    office = {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}
    conditional = policy(allow(GET, Condition=office))
    iam.put_user_policy(UserName="office", PolicyName="own", PolicyDocument=conditional)
    deny = policy(allow(GET), {"Effect": "Deny", "Action": GET, "Resource": arn})
    iam.put_user_policy(UserName="forbidden", PolicyName="own", PolicyDocument=deny)
    iam.put_user_policy(UserName="capped", PolicyName="own", PolicyDocument=read)
    cap = iam.create_policy(PolicyName="cap", PolicyDocument=policy(allow("s3:*")))["Policy"]["Arn"]
    iam.put_user_permissions_boundary(UserName="capped", PermissionsBoundary=cap)
    trusted = policy({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": account}})
    role = iam.create_role(RoleName="named", AssumeRolePolicyDocument=trusted)["Role"]["Arn"]
    foreign = there.create_user(UserName="foreign")["User"]["Arn"]
    there.put_user_policy(UserName="foreign", PolicyName="own", PolicyDocument=read)
    lonely = there.create_user(UserName="lonely")["User"]["Arn"]
    opened = {"AWS": [role, foreign, lonely], "Service": "backup.amazonaws.com"}
    late = {"DateGreaterThan": {"aws:CurrentTime": "2099-01-01T00:00:00Z"}}
    statements = [
        {"Sid": "Open", "Effect": "Allow", "Principal": opened, "Action": GET, "Resource": "*"},
        {"Sid": "Late", "Effect": "Deny", "Principal": "*", "Action": GET, "Resource": "*", "Condition": late},
    ]
    secrets.put_resource_policy(SecretId=arn, ResourcePolicy=policy(*statements))
    return locals()


def who_can(server, *arguments):
    """What `who-can --json` finds, by principal, and its exit code."""
    done = server.run("who-can", *arguments, "--json", check=False)
    assert done.returncode in (0, 1), done.stderr
    found = json.loads(done.stdout)["Principals"]
    return {it["Principal"]: it for it in found}, done.returncode


def because(found, principal):
    step = found[principal]["Steps"][0]
    return [(it["Kind"], it["Policy"], it.get("Sid"), it["Conditions"]) for it in step["AllowedBy"]]


def test_everybody_and_why(server, world):
    place = ["--account", server.keys.account, "--region", world["region"]]
    found, code = who_can(server, GET, "who/db", *place)
    assert code == 0
    users = world["users"]
    assert because(found, users["grouped"]) == [("identity policy", "group_readers_read", "Read", [])]
    office = ["aws:SourceIp IpAddress 10.0.0.0/8"]
    assert because(found, users["office"]) == [("identity policy", "user_office_own", None, office)]
    assert because(found, world["role"])[0] == ("resource policy", "default", "Open", [])
    for name in ("forbidden", "capped", "nobody"):
        assert users[name] not in found
    # Nobody can be told anything for sure as long as the clock decides.
    [late] = found[users["grouped"]]["Steps"][0]["Unless"]
    assert (late["Sid"], late["Conditions"]) == ("Late", ["aws:CurrentTime DateGreaterThan 2099-01-01T00:00:00Z"])
    assert found[users["grouped"]]["Always"] is False
    assert f"arn:aws:iam::{server.keys.account}:root" in found
    # The key that AWS manages is for its own account alone, and so the stranger's door stays shut.
    assert world["foreign"] not in found and "backup.amazonaws.com" not in found


def test_the_second_lock(server, world):
    kms, secrets, users = world["kms"], world["secrets"], world["users"]
    root = {"AWS": f"arn:aws:iam::{server.keys.account}:root"}
    everything = {"Sid": "Own", "Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*"}
    across = {"Sid": "Across", "Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"}
    across |= {"Principal": {"AWS": [world["foreign"]]}}
    key = kms.create_key(Policy=policy(everything, across))["KeyMetadata"]
    secret = secrets.create_secret(Name="who/locked", SecretString="s", KmsKeyId=key["Arn"])["ARN"]
    principals = {"AWS": [world["foreign"], world["lonely"]]}
    shared = {"Effect": "Allow", "Principal": principals, "Action": GET, "Resource": "*"}
    secrets.put_resource_policy(SecretId=secret, ResourcePolicy=policy(shared))
    kms.create_grant(KeyId=key["KeyId"], GranteePrincipal=users["grouped"], Operations=["Decrypt"])
    found, _ = who_can(server, GET, secret)
    # The key leaves it to the account, whose policies give nothing; a grant does.
    assert users["office"] not in found
    [get, decrypt] = found[users["grouped"]]["Steps"]
    assert (get["Action"], decrypt["Action"]) == (GET, "kms:Decrypt")
    assert [it["Kind"] for it in decrypt["AllowedBy"]] == ["grant"]
    # Across accounts both sides must allow both actions.
    assert world["foreign"] not in found and world["lonely"] not in found
    there = world["there"]
    both = policy(allow([GET, "kms:Decrypt"]))
    there.put_user_policy(UserName="foreign", PolicyName="own", PolicyDocument=both)
    found, _ = who_can(server, GET, secret)
    assert [it["Action"] for it in found[world["foreign"]]["Steps"]] == [GET, "kms:Decrypt"]
    keys, _ = who_can(server, "kms:Decrypt", key["Arn"])
    assert because(keys, world["foreign"])[0][:3] == ("key policy", "default", "Across")
    assert users["office"] not in keys


def test_every_action_that_needs_the_key(server, world):
    """One key, and who may use it for what."""
    users, secrets, iam = world["users"], world["secrets"], world["iam"]
    account, region = server.keys.account, world["region"]
    names = ["reader", "writer", "keyless"]
    arns = {it: iam.create_user(UserName=f"lock-{it}")["User"]["Arn"] for it in names}
    own = f"arn:aws:secretsmanager:{region}:{account}:secret:lock/*"
    for name in names:
        text = policy(allow("secretsmanager:BatchGetSecretValue"), allow("secretsmanager:*", own))
        iam.put_user_policy(UserName=f"lock-{name}", PolicyName="own", PolicyDocument=text)
    statement = {"Effect": "Allow", "Resource": "*"}
    key = world["kms"].create_key(Policy=policy(
        statement | {"Principal": {"AWS": f"arn:aws:iam::{account}:user/admin"}, "Action": "kms:*"},
        statement | {"Principal": {"AWS": arns["reader"]}, "Action": "kms:Decrypt"},
        statement | {"Principal": {"AWS": arns["writer"]}, "Action": "kms:GenerateDataKey"},
    ))["KeyMetadata"]["Arn"]
    arn = secrets.create_secret(Name="lock/db", SecretString="s", KmsKeyId=key)["ARN"]
    decrypt, seal = "kms:Decrypt", "kms:GenerateDataKey"
    batch = "secretsmanager:BatchGetSecretValue"
    for action, able, steps in [
        (GET, {"reader"}, [GET, decrypt]),
        (batch, {"reader"}, [batch, GET, decrypt]),
        ("secretsmanager:PutSecretValue", {"writer"}, ["secretsmanager:PutSecretValue", seal]),
        ("secretsmanager:UpdateSecret", set(names), ["secretsmanager:UpdateSecret", seal]),
        ("secretsmanager:DescribeSecret", set(names), ["secretsmanager:DescribeSecret"]),
        ("secretsmanager:RestoreSecret", set(names), ["secretsmanager:RestoreSecret"]),
    ]:
        found, _ = who_can(server, action, arn)
        assert {it for it in names if arns[it] in found} == able, action
        whole = next(it for it in ("writer", "reader") if it in able)
        assert [it["Action"] for it in found[arns[whole]]["Steps"]] == steps, action
    # Who can't use the key can still change what isn't sealed under it.
    found, _ = who_can(server, "secretsmanager:UpdateSecret", arn)
    [step] = found[arns["keyless"]]["Steps"]
    [missing] = step["Unless"]
    assert (missing["Kind"], missing["Policy"]) == ("key", key)
    assert missing["Conditions"] == ["SecretString or SecretBinary is given"]
    assert not found[arns["keyless"]]["Always"] and found[arns["writer"]]["Always"]


def test_a_secret_that_is_yet_to_be_made(server, world):
    place = ["--account", server.keys.account, "--region", world["region"]]
    iam, users = world["iam"], {}
    base = f"arn:aws:secretsmanager:{world['region']}:{server.keys.account}:secret:"
    for name, resource in [("any", "*"), ("named", base + "new/db-??????"), ("other", base + "old/*")]:
        users[name] = iam.create_user(UserName=f"maker-{name}")["User"]["Arn"]
        text = policy(allow("secretsmanager:CreateSecret", resource))
        iam.put_user_policy(UserName=f"maker-{name}", PolicyName="own", PolicyDocument=text)
    found, _ = who_can(server, "secretsmanager:CreateSecret", "new/db", *place)
    assert {it for it in users if users[it] in found} == {"any", "named"}
    assert found[users["named"]]["Steps"][0]["Resource"] == base + "new/db-??????"
    assert world["foreign"] not in found


def test_what_was_found_is_what_happens(server, world):
    """Everybody with a key of theirs is asked to do it."""
    arn = world["arn"]
    found, _ = who_can(server, GET, arn)
    for name, user in world["users"].items():
        made = world["iam"].create_access_key(UserName=name)["AccessKey"]
        keys = Keys(server.keys.account, made["AccessKeyId"], made["SecretAccessKey"])
        client = server.client(world["region"], keys=keys)
        try:
            client.get_secret_value(SecretId=arn)
            may = True
        except ClientError as error:
            assert error.response["Error"]["Code"] == "AccessDeniedException"
            may = False
        # From outside the office the condition doesn't hold.
        assert may == (user in found and name != "office"), name


def test_who_can_assume_a_role(server, world):
    found, _ = who_can(server, "sts:AssumeRole", world["role"])
    assert because(found, f"arn:aws:iam::{server.keys.account}:user/admin")[-1][0] == "identity policy"
    assert world["users"]["grouped"] not in found


def test_for_people(server, world):
    done = server.run("who-can", GET, world["arn"])
    head, *lines = done.stdout.splitlines()
    assert head.split() == ["PRINCIPAL", "KIND", "ACTION", "BECAUSE", "OF", "IF"]
    office = next(it for it in lines if it.startswith(world["users"]["office"]))
    assert "aws:SourceIp IpAddress 10.0.0.0/8" in office and "user_office_own, statement 1" in office
    refusals = [
        (["secretsmanager:Get*", "x"], "error: `secretsmanager:Get*` is not the name of one action"),
        (["secretsmanager:Nope", world["arn"]], "error: `secretsmanager:Nope` is no action that "),
        ([GET, "who/db"], "error: there are "),
        ([GET, world["arn"] + "x"], "error: there is no secret `"),
        (["kms:Decrypt", world["arn"]], "error: there is no key `"),
    ]
    for arguments, fact in refusals:
        done = server.run("who-can", *arguments, check=False)
        assert done.returncode == 3 and done.stderr.startswith(fact), (arguments, done.stderr)
    key = world["kms"].create_key(Policy=policy(
        {"Effect": "Allow", "Principal": {"AWS": world["role"]}, "Action": "kms:*", "Resource": "*"}
    ), BypassPolicyLockoutSafetyCheck=True)["KeyMetadata"]["Arn"]
    found, _ = who_can(server, "kms:Decrypt", key)
    assert list(found) == [world["role"]]
    world["iam"].delete_role(RoleName="named")
    done = server.run("who-can", "kms:Decrypt", key, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"nobody can kms:Decrypt {key}\n")
