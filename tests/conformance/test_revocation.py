"""Whoever loses a right has lost it with the next request, however many are under way.

Readers read as fast as they can. Every request that starts after the answer to the revocation has arrived
must fail; before it, each must succeed.
"""

import json
import threading
import time

import pytest
from botocore.exceptions import ClientError

from strongroom import Keys

READERS = 6
# Reads by each reader before the revocation, and refusals after it.
BEFORE, AFTER = 20, 10


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action, resource="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource} | more


class World:
    """A secret under a key of its own, a user that may read it, and a role that may, too."""

    def __init__(self, server, region):
        self.server, self.region = server, region
        self.admin = server.new_account()
        self.iam = self.as_admin("iam")
        self.kms = self.as_admin("kms")
        account = self.admin.account
        self.key = self.kms.create_key()["KeyMetadata"]["KeyId"]
        made = self.as_admin("secretsmanager").create_secret(
            Name="one", SecretString="s", KmsKeyId=self.key
        )
        self.secret = made["ARN"]
        read = document(allow(["secretsmanager:GetSecretValue", "kms:Decrypt"]))
        self.policy = self.iam.create_policy(PolicyName="read", PolicyDocument=read)["Policy"]["Arn"]
        self.iam.create_user(UserName="ada")
        self.iam.attach_user_policy(UserName="ada", PolicyArn=self.policy)
        key = self.iam.create_access_key(UserName="ada")["AccessKey"]
        self.user = Keys(account, key["AccessKeyId"], key["SecretAccessKey"])
        trust = document(
            {"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"}
        )
        role = self.iam.create_role(RoleName="app", AssumeRolePolicyDocument=trust)["Role"]
        self.role = role["Arn"]
        self.iam.put_role_policy(RoleName="app", PolicyName="read", PolicyDocument=read)

    def as_admin(self, service):
        return self.server.client(self.region, service=service, keys=self.admin)

    def session(self):
        given = self.as_admin("sts").assume_role(RoleArn=self.role, RoleSessionName="s1")
        return Keys.of_session(self.admin.account, given["Credentials"])

    def reader(self, keys):
        client = self.server.client(self.region, keys=keys)
        return lambda: client.get_secret_value(SecretId=self.secret)


def deleted_access_key(world):
    world.iam.delete_access_key(UserName="ada", AccessKeyId=world.user.key_id)


def deactivated_access_key(world):
    world.iam.update_access_key(
        UserName="ada", AccessKeyId=world.user.key_id, Status="Inactive"
    )


def detached_policy(world):
    world.iam.detach_user_policy(UserName="ada", PolicyArn=world.policy)


def changed_policy(world):
    harmless = document(allow("secretsmanager:ListSecrets"))
    world.iam.create_policy_version(
        PolicyArn=world.policy, PolicyDocument=harmless, SetAsDefault=True
    )


def disabled_key(world):
    world.kms.disable_key(KeyId=world.key)


def revoked_session(world):
    world.server.run("session", "revoke", world.role)


def revoked_by_policy(world):
    """AWS's own way: what was issued until now is denied."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 1))
    older = {"DateLessThan": {"aws:TokenIssueTime": now}}
    statement = {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": older}
    world.iam.put_role_policy(
        RoleName="app", PolicyName="AWSRevokeOlderSessions", PolicyDocument=document(statement)
    )


def removed_role_policy(world):
    world.iam.delete_role_policy(RoleName="app", PolicyName="read")


def denied_by_the_secret(world):
    deny = {"Effect": "Deny", "Action": "*", "Resource": "*"}
    world.as_admin("secretsmanager").put_resource_policy(
        SecretId=world.secret,
        ResourcePolicy=document(
            deny | {"Principal": {"AWS": [f"arn:aws:iam::{world.admin.account}:user/ada"]}}
        ),
    )


USERS = {
    deleted_access_key: "UnrecognizedClientException",
    deactivated_access_key: "UnrecognizedClientException",
    detached_policy: "AccessDeniedException",
    changed_policy: "AccessDeniedException",
    denied_by_the_secret: "AccessDeniedException",
    disabled_key: "DecryptionFailure",
}
SESSIONS = {
    revoked_session: "UnrecognizedClientException",
    revoked_by_policy: "AccessDeniedException",
    removed_role_policy: "AccessDeniedException",
    disabled_key: "DecryptionFailure",
}


class Reader(threading.Thread):
    """Reads until it has been refused often enough, and remembers each read: when it began and
    ended, and what came."""

    def __init__(self, read):
        super().__init__(daemon=True)
        self.read, self.seen = read, []
        self.warm = threading.Event()

    def run(self):
        refused = 0
        try:
            while refused < AFTER:
                began = time.monotonic()
                try:
                    self.read()
                    code = None
                except ClientError as error:
                    code = error.response["Error"]["Code"]
                    refused += 1
                self.seen.append((began, time.monotonic(), code))
                if len(self.seen) >= BEFORE:
                    self.warm.set()
        finally:
            self.warm.set()


@pytest.mark.parametrize(
    ("who", "revoke", "code"),
    [("user", *it) for it in USERS.items()] + [("session", *it) for it in SESSIONS.items()],
    ids=lambda it: getattr(it, "__name__", it),
)
def test_the_next_request_is_refused(server, region, who, revoke, code):
    world = World(server, region)
    keys = world.user if who == "user" else world.session()
    readers = [Reader(world.reader(keys)) for _ in range(READERS)]
    for each in readers:
        each.start()
    for each in readers:
        each.warm.wait(timeout=60)
    asked = time.monotonic()
    revoke(world)
    done = time.monotonic()
    for each in readers:
        each.join(timeout=60)
        assert not each.is_alive(), "reads go on"
        assert len(each.seen) >= BEFORE
        assert {it for began, ended, it in each.seen if ended < asked} == {None}
        assert {it for began, ended, it in each.seen if began > done} == {code}
    if who == "session" and revoke is revoked_session:
        world.reader(world.session())()
