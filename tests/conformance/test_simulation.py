"""What would be decided: the simulating operations, and `strongroom who-can`."""

import json
import os
import pathlib
import subprocess
import sys

import pytest
from botocore.exceptions import ClientError
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
