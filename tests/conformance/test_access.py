"""Who may: users, roles, policies, sessions and keys through unmodified boto3."""

import itertools
import json

import pytest
from botocore.exceptions import ClientError

from strongroom import Keys

_names = itertools.count(1)


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action, resource="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource} | more


def trust(principal, **more):
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": principal}}
    return policy(statement | more)


def refused(call, code="AccessDeniedException"):
    """The message of the refusal that `call` must end in."""
    with pytest.raises(ClientError) as caught:
        call()
    error = caught.value.response["Error"]
    assert error["Code"] == code, error
    return error["Message"]


@pytest.fixture
def name():
    """A name that no other test uses."""
    return f"n{next(_names)}"


@pytest.fixture
def iam(server, region):
    return server.client(region, service="iam")


@pytest.fixture
def admin(server, region):
    return server.client(region)


@pytest.fixture
def user(server, iam, name):
    """A user without any policy, and its key."""
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return Keys(server.keys.account, key["AccessKeyId"], key["SecretAccessKey"])


def test_least_privilege(server, region, iam, admin, user, name):
    arn = admin.create_secret(Name="app/db", SecretString="s")["ARN"]
    admin.create_secret(Name="other", SecretString="t")
    client = server.client(region, keys=user)
    message = refused(lambda: client.get_secret_value(SecretId="app/db"))
    assert message == (
        f"User: arn:aws:iam::{server.keys.account}:user/{name} is not authorized to perform: "
        f"secretsmanager:GetSecretValue on resource: {arn} because no identity-based policy allows "
        "the secretsmanager:GetSecretValue action"
    )
    document = policy(allow("secretsmanager:GetSecretValue", arn[:-6] + "??????"))
    iam.put_user_policy(UserName=name, PolicyName="read", PolicyDocument=document)
    assert client.get_secret_value(SecretId="app/db")["SecretString"] == "s"
    refused(lambda: client.get_secret_value(SecretId="other"))
    refused(lambda: client.put_secret_value(SecretId="app/db", SecretString="x"))
    refused(lambda: client.list_secrets())

    iam.delete_user_policy(UserName=name, PolicyName="read")
    refused(lambda: client.get_secret_value(SecretId="app/db"))


def test_managed_policies_groups_and_boundaries(server, region, iam, admin, user, name):
    admin.create_secret(Name="a", SecretString="s")
    client = server.client(region, keys=user)
    made = iam.create_policy(PolicyName=name, PolicyDocument=policy(allow("secretsmanager:*")))
    arn = made["Policy"]["Arn"]
    group = f"g-{name}"
    iam.create_group(GroupName=group)
    iam.attach_group_policy(GroupName=group, PolicyArn=arn)
    iam.add_user_to_group(GroupName=group, UserName=name)
    assert client.get_secret_value(SecretId="a")["SecretString"] == "s"

    only_list = iam.create_policy(
        PolicyName=f"b-{name}", PolicyDocument=policy(allow("secretsmanager:List*"))
    )["Policy"]["Arn"]
    iam.put_user_permissions_boundary(UserName=name, PermissionsBoundary=only_list)
    message = refused(lambda: client.get_secret_value(SecretId="a"))
    assert message.endswith(
        "because no permissions boundary allows the secretsmanager:GetSecretValue action"
    )
    client.list_secrets()
    iam.delete_user_permissions_boundary(UserName=name)
    client.get_secret_value(SecretId="a")

    deny = policy(allow("*"), {"Effect": "Deny", "Action": "*", "Resource": "*"})
    version = iam.create_policy_version(PolicyArn=arn, PolicyDocument=deny, SetAsDefault=True)
    message = refused(lambda: client.get_secret_value(SecretId="a"))
    assert message.endswith("with an explicit deny in an identity-based policy")
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")
    client.get_secret_value(SecretId="a")
    iam.delete_policy_version(
        PolicyArn=arn, VersionId=version["PolicyVersion"]["VersionId"]
    )
    iam.remove_user_from_group(GroupName=group, UserName=name)
    refused(lambda: client.get_secret_value(SecretId="a"))


def test_a_key_that_is_gone_opens_nothing_from_the_next_request_on(server, region, iam, user, name):
    iam.attach_user_policy(
        UserName=name, PolicyArn="arn:aws:iam::aws:policy/SecretsManagerReadWrite"
    )
    client = server.client(region, keys=user)
    client.list_secrets()
    iam.update_access_key(UserName=name, AccessKeyId=user.key_id, Status="Inactive")
    refused(client.list_secrets, "UnrecognizedClientException")
    iam.update_access_key(UserName=name, AccessKeyId=user.key_id, Status="Active")
    client.list_secrets()
    iam.delete_access_key(UserName=name, AccessKeyId=user.key_id)
    refused(client.list_secrets, "UnrecognizedClientException")


def test_a_user_can_be_made_again_and_is_somebody_else(server, region, iam, admin, user, name):
    admin.create_secret(Name="a", SecretString="s")
    arn = f"arn:aws:iam::{server.keys.account}:user/{name}"
    statement = allow("secretsmanager:GetSecretValue", Principal={"AWS": arn})
    admin.put_resource_policy(SecretId="a", ResourcePolicy=policy(statement))
    assert server.client(region, keys=user).get_secret_value(SecretId="a")["SecretString"] == "s"
    iam.delete_access_key(UserName=name, AccessKeyId=user.key_id)
    iam.delete_user(UserName=name)
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    again = Keys(server.keys.account, key["AccessKeyId"], key["SecretAccessKey"])
    refused(lambda: server.client(region, keys=again).get_secret_value(SecretId="a"))
    shown = admin.get_resource_policy(SecretId="a")["ResourcePolicy"]
    assert "AIDA" in shown and arn not in shown
    refused(
        lambda: admin.put_resource_policy(SecretId="a", ResourcePolicy=shown),
        "MalformedPolicyDocumentException",
    )


def test_an_unknown_principal_is_refused(server, iam, name):
    nobody = f"arn:aws:iam::{server.keys.account}:role/nope"
    message = refused(
        lambda: iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(nobody)),
        "MalformedPolicyDocument",
    )
    assert message == f'Invalid principal in policy: "AWS":"{nobody}"'


class TestRoles:
    @pytest.fixture
    def role(self, server, iam, name):
        """A role that everybody in the account may assume, who may at all."""
        root = f"arn:aws:iam::{server.keys.account}:root"
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(root))
        document = policy(allow("secretsmanager:GetSecretValue"))
        iam.put_role_policy(RoleName=name, PolicyName="read", PolicyDocument=document)
        return f"arn:aws:iam::{server.keys.account}:role/{name}"

    @pytest.fixture
    def sts(self, server, region):
        return server.client(region, service="sts")

    def test_a_session_has_what_its_role_has(self, server, region, iam, admin, sts, role, name):
        admin.create_secret(Name="a", SecretString="s")
        assumed = sts.assume_role(RoleArn=role, RoleSessionName="s1")
        keys = Keys.of_session(server.keys.account, assumed["Credentials"])
        client = server.client(region, keys=keys)
        assert client.get_secret_value(SecretId="a")["SecretString"] == "s"
        who = server.client(region, service="sts", keys=keys).get_caller_identity()
        session = f"arn:aws:sts::{server.keys.account}:assumed-role/{name}/s1"
        assert (who["Arn"], assumed["AssumedRoleUser"]["Arn"]) == (session, session)
        assert who["UserId"].startswith("AROA") and who["UserId"].endswith(":s1")
        message = refused(lambda: client.delete_secret(SecretId="a"))
        assert message.startswith(f"User: {session} is not authorized")

        iam.delete_role_policy(RoleName=name, PolicyName="read")
        refused(lambda: client.get_secret_value(SecretId="a"))
        iam.delete_role(RoleName=name)
        refused(client.list_secrets, "UnrecognizedClientException")

    def test_session_policies_only_take_away(self, server, region, admin, sts, role):
        admin.create_secret(Name="a", SecretString="s")
        assumed = sts.assume_role(
            RoleArn=role, RoleSessionName="s1", Policy=policy(allow("secretsmanager:List*"))
        )
        keys = Keys.of_session(server.keys.account, assumed["Credentials"])
        message = refused(
            lambda: server.client(region, keys=keys).get_secret_value(SecretId="a")
        )
        assert "no session policy allows" in message

    def test_a_token_belongs_to_its_key(self, server, region, sts, role):
        first, second = (
            sts.assume_role(RoleArn=role, RoleSessionName=it)["Credentials"] for it in ("aa", "bb")
        )
        swapped = Keys(
            server.keys.account,
            first["AccessKeyId"],
            first["SecretAccessKey"],
            second["SessionToken"],
        )
        client = server.client(region, keys=swapped)
        refused(client.list_secrets, "UnrecognizedClientException")
        middle = len(first["SessionToken"]) // 2
        token = first["SessionToken"]
        other = "A" if token[middle] != "A" else "B"
        flipped = Keys(
            server.keys.account,
            first["AccessKeyId"],
            first["SecretAccessKey"],
            token[:middle] + other + token[middle + 1 :],
        )
        refused(server.client(region, keys=flipped).list_secrets, "UnrecognizedClientException")

    def test_external_ids_stop_a_confused_deputy(self, server, iam, sts, name):
        root = f"arn:aws:iam::{server.keys.account}:root"
        condition = {"StringEquals": {"sts:ExternalId": "42-secret"}}
        iam.create_role(
            RoleName=name, AssumeRolePolicyDocument=trust(root, Condition=condition)
        )
        role = f"arn:aws:iam::{server.keys.account}:role/{name}"
        ask = {"RoleArn": role, "RoleSessionName": "ss"}
        message = refused(lambda: sts.assume_role(**ask), "AccessDenied")
        assert message == (
            f"User: arn:aws:iam::{server.keys.account}:user/admin is not authorized to perform: "
            f"sts:AssumeRole on resource: {role}"
        )
        refused(lambda: sts.assume_role(ExternalId="43", **ask), "AccessDenied")
        sts.assume_role(ExternalId="42-secret", **ask)


class TestKeys:
    @pytest.fixture
    def kms(self, server, region):
        return server.client(region, service="kms")

    def test_two_locks(self, server, region, iam, admin, kms, user, name):
        key = kms.create_key(Description="app")["KeyMetadata"]["Arn"]
        admin.create_secret(Name="a", SecretString="s", KmsKeyId=key)
        iam.put_user_policy(
            UserName=name, PolicyName="read", PolicyDocument=policy(allow("secretsmanager:*"))
        )
        client = server.client(region, keys=user)
        message = refused(lambda: client.get_secret_value(SecretId="a"))
        assert message == "Access to KMS is not allowed"
        context = {"StringEquals": {"kms:ViaService": f"secretsmanager.{region}.amazonaws.com"}}
        iam.put_user_policy(
            UserName=name,
            PolicyName="key",
            PolicyDocument=policy(allow("kms:Decrypt", key, Condition=context)),
        )
        assert client.get_secret_value(SecretId="a")["SecretString"] == "s"
        refused(lambda: client.put_secret_value(SecretId="a", SecretString="t"))
        # Only through the service, and only with what the service binds it to.
        blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
        direct = server.client(region, service="kms", keys=user)
        refused(lambda: direct.decrypt(CiphertextBlob=blob))

        kms.disable_key(KeyId=key)
        with pytest.raises(admin.exceptions.DecryptionFailure, match="is disabled"):
            client.get_secret_value(SecretId="a")
        with pytest.raises(admin.exceptions.EncryptionFailure, match="is disabled"):
            admin.put_secret_value(SecretId="a", SecretString="t")
        kms.enable_key(KeyId=key)
        assert client.get_secret_value(SecretId="a")["SecretString"] == "s"

    def test_a_changed_key_lets_either_open(self, admin, kms):
        old, new = (kms.create_key()["KeyMetadata"]["Arn"] for _ in range(2))
        admin.create_secret(Name="a", SecretString="s", KmsKeyId=old)
        admin.update_secret(SecretId="a", KmsKeyId=new)
        kms.disable_key(KeyId=old)
        assert admin.get_secret_value(SecretId="a")["SecretString"] == "s"
        kms.enable_key(KeyId=old)
        kms.disable_key(KeyId=new)
        assert admin.get_secret_value(SecretId="a")["SecretString"] == "s"
        kms.enable_key(KeyId=new)
        admin.put_secret_value(SecretId="a", SecretString="t")
        kms.disable_key(KeyId=new)
        with pytest.raises(admin.exceptions.DecryptionFailure):
            admin.get_secret_value(SecretId="a")

    def test_sharing_takes_four_yeses(self, server, stranger, region, admin, kms):
        """The security account holds the secret; the application's account reads it by a role."""
        owner, other = server.keys.account, stranger.account
        iam = server.client(region, service="iam", keys=stranger)
        sts = server.client(region, service="sts", keys=stranger)
        role = f"reader-{region}"
        arn = f"arn:aws:iam::{other}:role/{role}"
        iam.create_role(
            RoleName=role, AssumeRolePolicyDocument=trust(f"arn:aws:iam::{other}:root")
        )
        key = kms.create_key()["KeyMetadata"]["Arn"]
        secret = admin.create_secret(Name="shared", SecretString="s", KmsKeyId=key)["ARN"]
        root = {"AWS": f"arn:aws:iam::{owner}:root"}

        def secret_policy(yes):
            if not yes:
                return admin.delete_resource_policy(SecretId=secret)
            statement = allow("secretsmanager:GetSecretValue", Principal={"AWS": arn})
            return admin.put_resource_policy(SecretId=secret, ResourcePolicy=policy(statement))

        def key_policy(yes):
            statements = [allow("kms:*", Principal=root)]
            if yes:
                statements.append(allow("kms:Decrypt", Principal={"AWS": arn}))
            kms.put_key_policy(KeyId=key, PolicyName="default", Policy=policy(*statements))

        def identity(action, resource):
            def put(yes):
                kind = action.split(":")[0]
                if not yes:
                    return iam.delete_role_policy(RoleName=role, PolicyName=kind)
                return iam.put_role_policy(
                    RoleName=role, PolicyName=kind, PolicyDocument=policy(allow(action, resource))
                )

            return put

        pieces = {
            "secret's policy": (secret_policy, "no resource-based policy allows"),
            "role's right to the secret": (
                identity("secretsmanager:GetSecretValue", secret),
                "no identity-based policy allows",
            ),
            "key's policy": (key_policy, "Access to KMS is not allowed"),
            "role's right to the key": (
                identity("kms:Decrypt", key),
                "Access to KMS is not allowed",
            ),
        }
        for put, _ in pieces.values():
            put(True)
        session = sts.assume_role(RoleArn=arn, RoleSessionName="app")["Credentials"]
        client = server.client(region, keys=Keys.of_session(other, session))
        assert client.get_secret_value(SecretId=secret)["SecretString"] == "s"
        for piece, (put, told) in pieces.items():
            put(False)
            assert told in refused(lambda: client.get_secret_value(SecretId=secret)), piece
            put(True)
            assert client.get_secret_value(SecretId=secret)["SecretString"] == "s", piece

        # Under the default key nobody elsewhere can read, whatever the policies say.
        default = admin.create_secret(Name="default", SecretString="s")["ARN"]
        statement = allow("secretsmanager:GetSecretValue", Principal={"AWS": arn})
        admin.put_resource_policy(SecretId=default, ResourcePolicy=policy(statement))
        identity("secretsmanager:*", "*")(True)
        with pytest.raises(
            client.exceptions.InvalidRequestException, match="default KMS service key"
        ):
            client.get_secret_value(SecretId=default)
