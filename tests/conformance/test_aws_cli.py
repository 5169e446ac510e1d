"""The unmodified AWS CLI, with the environment that `strongroom env` prints."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

from strongroom import BINARY


@pytest.fixture(params=["http", "tls"])
def aws(server, region, request, tmp_path):
    """Runs `aws` and returns its JSON answer."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment = kept | server.environment | {
        "AWS_REGION": region,
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
        "AWS_PAGER": "",
    }  # fmt: skip
    if request.param == "tls":
        environment |= {"AWS_ENDPOINT_URL": server.tls_endpoint, "AWS_CA_BUNDLE": server.ca_file}
    program = pathlib.Path(sys.executable).with_name("aws")

    def run(service, *words):
        line = [sys.executable, program, service, *words, "--output", "json"]
        done = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return json.loads(done.stdout) if done.stdout else None

    return run


def test_the_whole_life(aws, server):
    def secrets(verb, *words):
        return aws("secretsmanager", verb, *words)

    assert aws("sts", "get-caller-identity")["Account"] == server.keys.account
    made = secrets("create-secret", "--name", "app/db", "--secret-string", '{"user":"app"}')
    by_arn = ["--secret-id", made["ARN"]]
    assert secrets("get-secret-value", "--secret-id", "app/db")["SecretString"] == '{"user":"app"}'
    assert secrets("get-secret-value", *by_arn)["VersionId"] == made["VersionId"]
    partial = secrets("get-secret-value", "--secret-id", made["ARN"][:-7])
    assert partial["ARN"] == made["ARN"]
    second = secrets("put-secret-value", *by_arn, "--secret-string", "two")
    secrets(
        "update-secret-version-stage", *by_arn, "--version-stage", "AWSCURRENT",
        "--move-to-version-id", made["VersionId"],
        "--remove-from-version-id", second["VersionId"],
    )  # fmt: skip
    secrets("tag-resource", *by_arn, "--tags", "Key=team,Value=x")
    assert secrets("describe-secret", *by_arn)["Tags"] == [{"Key": "team", "Value": "x"}]
    listed = secrets("list-secrets", "--filters", "Key=tag-key,Values=team", "--page-size", "1")
    assert [it["Name"] for it in listed["SecretList"]] == ["app/db"]
    batch = secrets("batch-get-secret-value", "--secret-id-list", "app/db", "app/none")
    assert len(batch["SecretValues"]) == len(batch["Errors"]) == 1
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{server.keys.account}:root"},
        "Action": "secretsmanager:GetSecretValue",
        "Resource": "*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    secrets("put-resource-policy", *by_arn, "--resource-policy", policy)
    found = json.loads(secrets("get-resource-policy", *by_arn)["ResourcePolicy"])
    assert found["Statement"] == [statement]
    secrets("delete-resource-policy", *by_arn)
    secrets("delete-secret", *by_arn, "--recovery-window-in-days", "7")
    with pytest.raises(RuntimeError, match="marked for deletion"):
        secrets("get-secret-value", *by_arn)
    secrets("restore-secret", *by_arn)
    secrets("delete-secret", *by_arn, "--force-delete-without-recovery")
    with pytest.raises(RuntimeError, match="ResourceNotFoundException"):
        secrets("describe-secret", *by_arn)


def test_accounts(aws, server, request):
    """Login profiles, reports and service-linked roles as the guides tell one to."""
    def iam(verb, *words):
        return aws("iam", verb, *words)

    user = f"cli-{request.node.callspec.params['aws']}"
    iam("create-user", "--user-name", user)
    made = iam("create-login-profile", "--user-name", user, "--password", "canary-One-1", "--password-reset-required")
    assert made["LoginProfile"]["PasswordResetRequired"] is True
    assert iam("generate-credential-report")["State"] == "COMPLETE"
    assert iam("get-credential-report")["ReportFormat"] == "text/csv"
    arn = f"arn:aws:iam::{server.keys.account}:user/{user}"
    granting = iam("list-policies-granting-service-access", "--arn", arn, "--service-namespaces", "kms")
    assert granting["PoliciesGrantingServiceAccess"] == [{"ServiceNamespace": "kms", "Policies": []}]
    job = iam("generate-service-last-accessed-details", "--arn", arn)["JobId"]
    assert iam("get-service-last-accessed-details", "--job-id", job)["JobStatus"] == "COMPLETED"
    role = iam("create-service-linked-role", "--aws-service-name", "autoscaling.amazonaws.com", "--custom-suffix", user)
    task = iam("delete-service-linked-role", "--role-name", role["Role"]["RoleName"])["DeletionTaskId"]
    status = iam("get-service-linked-role-deletion-status", "--deletion-task-id", task)
    assert status["Status"] == "SUCCEEDED"
    iam("delete-login-profile", "--user-name", user)
    iam("delete-user", "--user-name", user)


def test_dev_prints_commands_that_work(tmp_path):
    """The exports and commands that `dev` prints, pasted into a shell."""
    line = [BINARY, "dev", "--data", str(tmp_path / "data"), "--listen", "127.0.0.1:0"]
    dev = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        lines = []
        while sum(line.startswith("aws ") for line in lines) < 3:
            lines.append(dev.stdout.readline())
            assert lines[-1], "it ended before it printed three commands"
            lines[-1] = lines[-1].strip()
        pasted = [it for it in lines if it.startswith(("export ", "unset ", "aws "))]
        paste(pasted, tmp_path)
    finally:
        dev.terminate()
        dev.communicate(timeout=30)


def paste(lines, tmp_path):
    script = "\n".join(["set -e", *lines])
    environment = {
        "PATH": f"{pathlib.Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": str(tmp_path),
        "AWS_PAGER": "",
    }
    done = subprocess.run(
        ["sh", "-c", script], env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "SecretString" in done.stdout
