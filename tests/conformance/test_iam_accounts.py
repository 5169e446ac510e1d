"""Passwords, reports, service-linked roles and settings of an account, through unmodified boto3."""

import csv
import datetime
import io
import json

import pytest
from botocore.exceptions import ClientError

from strongroom import Keys

ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"


def document(**statement):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*"} | statement]})


def refused(call, **members):
    with pytest.raises(ClientError) as caught:
        call(**members)
    answer = caught.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]


def of_user(keys, key):
    return Keys(keys.account, key["AccessKeyId"], key["SecretAccessKey"])


@pytest.fixture
def keys(server):
    return server.new_account()


@pytest.fixture
def iam(server, region, keys):
    return server.client(region, service="iam", keys=keys)


def test_a_password_is_held_to_the_accounts_policy(iam):
    assert refused(iam.get_account_password_policy) == ("NoSuchEntity", 404)
    iam.update_account_password_policy(
        MinimumPasswordLength=10, RequireNumbers=True, MaxPasswordAge=90, PasswordReusePrevention=1
    )
    rules = iam.get_account_password_policy()["PasswordPolicy"]
    assert (rules["MinimumPasswordLength"], rules["ExpirePasswords"], rules["MaxPasswordAge"]) == (10, True, 90)
    iam.create_user(UserName="ada")
    assert refused(iam.get_login_profile, UserName="ada") == ("NoSuchEntity", 404)
    weak = refused(iam.create_login_profile, UserName="ada", Password="canary-weak")
    assert weak == ("PasswordPolicyViolation", 400)
    made = iam.create_login_profile(UserName="ada", Password="canary-one-1", PasswordResetRequired=True)
    assert made["LoginProfile"]["PasswordResetRequired"] is True
    assert refused(iam.create_login_profile, UserName="ada", Password="canary-one-1") == ("EntityAlreadyExists", 409)
    again = refused(iam.update_login_profile, UserName="ada", Password="canary-one-1")
    assert again == ("PasswordPolicyViolation", 400)
    iam.update_login_profile(UserName="ada", Password="canary-two-2", PasswordResetRequired=False)
    assert iam.get_login_profile(UserName="ada")["LoginProfile"]["PasswordResetRequired"] is False
    assert refused(iam.delete_user, UserName="ada") == ("DeleteConflict", 409)
    iam.delete_login_profile(UserName="ada")
    iam.delete_user(UserName="ada")
    iam.delete_account_password_policy()


def test_a_user_changes_its_own_password(server, region, iam, keys):
    iam.create_user(UserName="ada")
    iam.create_login_profile(UserName="ada", Password="canary-One-1")
    key = iam.create_access_key(UserName="ada")["AccessKey"]
    own = server.client(region, service="iam", keys=of_user(keys, key))
    change = {"OldPassword": "canary-One-1", "NewPassword": "canary-Two-2"}
    assert refused(own.change_password, **change) == ("AccessDenied", 403)
    iam.update_account_password_policy(AllowUsersToChangePassword=True)
    own.change_password(**change)
    with pytest.raises(ClientError, match="old password was incorrect"):
        own.change_password(**change)
    assert refused(own.update_login_profile, UserName="ada", Password="canary-Two-3") == ("AccessDenied", 403)


def test_the_credential_report(iam, keys):
    assert refused(iam.get_credential_report) == ("ReportNotPresent", 410)
    iam.create_user(UserName="ada")
    iam.create_login_profile(UserName="ada", Password="canary-One-1")
    iam.create_access_key(UserName="ada")
    assert iam.generate_credential_report()["State"] == "COMPLETE"
    report = iam.get_credential_report()
    assert report["ReportFormat"] == "text/csv"
    rows = {it["user"]: it for it in csv.DictReader(io.StringIO(report["Content"].decode()))}
    assert list(rows) == ["<root_account>", "ada", "admin"]
    assert len(rows["ada"]) == 22
    ada, admin = rows["ada"], rows["admin"]
    assert (ada["password_enabled"], ada["access_key_1_active"], ada["access_key_2_active"]) == ("true", "true", "false")
    assert (ada["arn"], ada["mfa_active"]) == (f"arn:aws:iam::{keys.account}:user/ada", "false")
    assert admin["access_key_1_active"] == "true"
    datetime.datetime.fromisoformat(ada["password_last_changed"])


def test_who_may_use_a_service_and_who_did(server, region, iam, keys):
    iam.create_user(UserName="ada")
    iam.create_group(GroupName="ops")
    iam.add_user_to_group(GroupName="ops", UserName="ada")
    iam.attach_group_policy(GroupName="ops", PolicyArn=ADMIN)
    iam.put_user_policy(UserName="ada", PolicyName="own", PolicyDocument=document(Action="sts:*"))
    arn = f"arn:aws:iam::{keys.account}:user/ada"
    asked = iam.list_policies_granting_service_access(Arn=arn, ServiceNamespaces=["sts", "kms"])
    managed = {"PolicyName": "AdministratorAccess", "PolicyType": "MANAGED", "PolicyArn": ADMIN}
    inline = {"PolicyName": "own", "PolicyType": "INLINE", "EntityType": "USER", "EntityName": "ada"}
    assert asked["PoliciesGrantingServiceAccess"] == [
        {"ServiceNamespace": "sts", "Policies": [managed, inline]},
        {"ServiceNamespace": "kms", "Policies": [managed]},
    ]

    key = iam.create_access_key(UserName="ada")["AccessKey"]
    server.client(region, service="sts", keys=of_user(keys, key)).get_caller_identity()
    for subject in (arn, f"arn:aws:iam::{keys.account}:group/ops", ADMIN):
        job = iam.generate_service_last_accessed_details(Arn=subject)["JobId"]
        report = iam.get_service_last_accessed_details(JobId=job)
        assert (report["JobStatus"], report["JobType"]) == ("COMPLETED", "SERVICE_LEVEL")
        services = {it["ServiceNamespace"]: it for it in report["ServicesLastAccessed"]}
        assert {"secretsmanager", "kms", "iam", "sts"} <= set(services)
        assert services["kms"]["TotalAuthenticatedEntities"] == 0
        details = iam.get_service_last_accessed_details_with_entities(JobId=job, ServiceNamespace="sts")
        entities = [it["EntityInfo"]["Name"] for it in details["EntityDetailsList"]]
        assert "ada" in entities
    action = refused(iam.generate_service_last_accessed_details, Arn=arn, Granularity="ACTION_LEVEL")
    assert action == ("InvalidInput", 400)


def test_service_linked_roles(iam, keys):
    role = iam.create_service_linked_role(AWSServiceName="ecs.amazonaws.com")["Role"]
    path = "aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"
    assert role["Arn"] == f"arn:aws:iam::{keys.account}:role/{path}"
    assert role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"Service": ["ecs.amazonaws.com"]}
    protected = ("UnmodifiableEntity", 400)
    assert refused(iam.delete_role, RoleName="AWSServiceRoleForECS") == protected
    assert refused(iam.attach_role_policy, RoleName="AWSServiceRoleForECS", PolicyArn=ADMIN) == protected
    assert refused(iam.create_service_linked_role, AWSServiceName="ecs.amazonaws.com") == ("InvalidInput", 400)
    iam.update_role(RoleName="AWSServiceRoleForECS", Description="ours")
    task = iam.delete_service_linked_role(RoleName="AWSServiceRoleForECS")["DeletionTaskId"]
    assert task.startswith(f"task/{path}/")
    assert iam.get_service_linked_role_deletion_status(DeletionTaskId=task)["Status"] == "SUCCEEDED"
    assert refused(iam.get_role, RoleName="AWSServiceRoleForECS") == ("NoSuchEntity", 404)


def test_settings(iam):
    assert refused(iam.get_outbound_web_identity_federation_info) == ("FeatureDisabled", 404)
    issuer = iam.enable_outbound_web_identity_federation()["IssuerIdentifier"]
    info = iam.get_outbound_web_identity_federation_info()
    assert (info["IssuerIdentifier"], info["JwtVendingEnabled"]) == (issuer, True)
    assert refused(iam.enable_outbound_web_identity_federation) == ("FeatureEnabled", 409)
    iam.disable_outbound_web_identity_federation()
    assert iam.get_account_summary()["SummaryMap"]["GlobalEndpointTokenVersion"] == 1
    iam.set_security_token_service_preferences(GlobalEndpointTokenVersion="v2Token")
    assert iam.get_account_summary()["SummaryMap"]["GlobalEndpointTokenVersion"] == 2


ABSENT = (
    "AcquireRole", "Delegation", "OrganizationsAccessReport", "RoleTemplate", "SAMLProvider",
    "ServerCertificate", "ServiceSpecificCredential", "SigningCertificate", "SSHPublicKey",
)  # fmt: skip


def test_what_is_refused(server, region, keys):
    """What is not built says so, and is not half there."""
    client = server.client(region, service="iam", keys=keys, parameter_validation=False)
    methods = client.meta.method_to_api_mapping.items()
    absent = {it: name for it, name in methods if any(part in name for part in ABSENT)}
    assert len(absent) > 30 and set(ABSENT) == {it for it in ABSENT for name in absent.values() if it in name}
    for method, name in absent.items():
        assert refused(getattr(client, method)) == ("InvalidAction", 400), name
