"""Second factors through unmodified boto3 and the AWS CLI: codes are computed here, by the clock."""

import hashlib
import hmac
import json
import os
import struct
import subprocess
import sys
import time
import zlib
from base64 import b32decode

import pytest

from strongroom import Keys
from test_access import allow, iam, name, policy, refused, trust, user  # noqa: F401 (fixtures)

WRONG = "MultiFactorAuthentication failed with invalid MFA one time pass code."
DEVICE = (
    "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA "
    "serial number is valid and associated with this user."
)


class Device:
    """A virtual device of a user. It shows codes in their order, beginning with the one before this one."""

    def __init__(self, iam, name):  # noqa: F811
        made = iam.create_virtual_mfa_device(VirtualMFADeviceName=name)["VirtualMFADevice"]
        self.serial, self.picture = made["SerialNumber"], made["QRCodePNG"]
        self.letters = made["Base32StringSeed"]
        self.step = int(time.time()) // 30 - 1

    def code(self):
        """The next code. Source: RFC 6238."""
        tag = hmac.digest(b32decode(self.letters), struct.pack(">q", self.step), hashlib.sha1)
        self.step += 1
        (word,) = struct.unpack_from(">I", tag, tag[-1] & 15)
        return f"{(word & 0x7FFFFFFF) % 1_000_000:06}"

    def enable(self, iam, name):  # noqa: F811
        """Uses up the code before this one and this one: the next one is good already."""
        iam.enable_mfa_device(
            UserName=name,
            SerialNumber=self.serial,
            AuthenticationCode1=self.code(),
            AuthenticationCode2=self.code(),
        )
        return self


@pytest.fixture
def device(iam, user, name):  # noqa: F811
    return Device(iam, name).enable(iam, name)


def test_a_device_is_set_up_and_taken_away(iam, user, name):  # noqa: F811
    device = Device(iam, name)
    assert device.serial == f"arn:aws:iam::{user.account}:mfa/{name}"
    assert len(device.letters) == 64
    assert device.picture.startswith(b"\x89PNG\r\n\x1a\n")
    start = device.picture.index(b"IDAT") + 4
    assert zlib.decompressobj().decompress(device.picture[start:]), "a whole picture"

    said = refused(
        lambda: iam.enable_mfa_device(
            UserName=name,
            SerialNumber=device.serial,
            AuthenticationCode1="000000",
            AuthenticationCode2="000000",
        ),
        "InvalidAuthenticationCode",
    )
    assert said == "Authentication code for device is not valid."
    device.enable(iam, name)
    assert [it["SerialNumber"] for it in iam.list_mfa_devices(UserName=name)["MFADevices"]] == [
        device.serial
    ]
    assigned = iam.list_virtual_mfa_devices(AssignmentStatus="Assigned")["VirtualMFADevices"]
    assert {it["SerialNumber"]: it["User"]["UserName"] for it in assigned}[device.serial] == name
    found = iam.get_mfa_device(SerialNumber=device.serial, UserName=name)
    assert found["UserName"] == name and found["EnableDate"]

    for key in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    said = refused(lambda: iam.delete_user(UserName=name), "DeleteConflict")
    assert said == "Cannot delete entity, must delete MFA device first."
    refused(lambda: iam.delete_virtual_mfa_device(SerialNumber=device.serial), "DeleteConflict")
    iam.deactivate_mfa_device(UserName=name, SerialNumber=device.serial)
    iam.delete_virtual_mfa_device(SerialNumber=device.serial)
    iam.delete_user(UserName=name)


def test_a_session_with_a_second_factor(server, region, iam, user, name, device):  # noqa: F811
    iam.put_user_policy(
        UserName=name,
        PolicyName="p",
        PolicyDocument=policy(
            allow("*"),
            {
                "Effect": "Deny",
                "Action": "secretsmanager:*",
                "Resource": "*",
                "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
            },
        ),
    )
    sts = server.client(region, service="sts", keys=user)
    bare = Keys.of_session(user.account, sts.get_session_token()["Credentials"])
    for keys in (user, bare):
        refused(lambda keys=keys: server.client(region, keys=keys).list_secrets())
    refused(lambda: server.client(region, service="iam", keys=bare).list_users(), "AccessDenied")

    def begin(code, serial=device.serial):
        return sts.get_session_token(SerialNumber=serial, TokenCode=code)["Credentials"]

    assert refused(lambda: begin("000000"), "AccessDenied") == WRONG
    assert refused(lambda: begin("000000", device.serial + "x"), "AccessDenied") == DEVICE
    code = device.code()
    keys = Keys.of_session(user.account, begin(code))
    assert refused(lambda: begin(code), "AccessDenied") == WRONG, "each code is good once"
    assert server.client(region, keys=keys).list_secrets()["SecretList"] == []
    assert server.client(region, service="iam", keys=keys).list_users()["Users"]


def test_a_role_that_asks_for_it(server, region, iam, user, name, device):  # noqa: F811
    arn = f"arn:aws:iam::{user.account}:user/{name}"
    condition = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    made = iam.create_role(
        RoleName=name, AssumeRolePolicyDocument=trust(arn, Condition=condition)
    )
    role = made["Role"]["Arn"]
    sts = server.client(region, service="sts", keys=user)

    def assume(**more):
        return sts.assume_role(RoleArn=role, RoleSessionName="s1", **more)

    assert "not authorized to perform: sts:AssumeRole" in refused(assume, "AccessDenied")
    assume(SerialNumber=device.serial, TokenCode=device.code())


def test_the_aws_cli_asks_for_the_code(server, region, iam, user, name, device, tmp_path):  # noqa: F811
    """`mfa_serial` in a profile; the CLI asks on its terminal, or on standard input without one."""
    arn = f"arn:aws:iam::{user.account}:user/{name}"
    condition = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    made = iam.create_role(
        RoleName=name, AssumeRolePolicyDocument=trust(arn, Condition=condition)
    )
    config = tmp_path / "config"
    config.write_text(
        f"[profile base]\naws_access_key_id = {user.key_id}\naws_secret_access_key = {user.secret}\n"
        f"[profile role]\nrole_arn = {made['Role']['Arn']}\nsource_profile = base\n"
        f"mfa_serial = {device.serial}\nregion = {region}\nendpoint_url = {server.endpoint}\n"
    )
    environment = {it: os.environ[it] for it in ("PATH", "HOME") if it in os.environ} | {
        "AWS_CONFIG_FILE": str(config),
        "AWS_ENDPOINT_URL": server.endpoint,
        "AWS_DEFAULT_REGION": region,
    }
    program = os.path.join(os.path.dirname(sys.executable), "aws")
    done = subprocess.run(
        [sys.executable, program, "--profile", "role", "sts", "get-caller-identity"],
        input=device.code() + "\n",
        capture_output=True,
        text=True,
        timeout=120,
        env=environment,
        start_new_session=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["Arn"].startswith(
        f"arn:aws:sts::{user.account}:assumed-role/{name}/"
    )


def test_a_device_is_set_right_again_and_tagged(iam, name, device):  # noqa: F811
    iam.resync_mfa_device(
        UserName=name,
        SerialNumber=device.serial,
        AuthenticationCode1=device.code(),
        AuthenticationCode2=device.code(),
    )
    tags = [{"Key": "a", "Value": "b"}, {"Key": "c", "Value": "d"}]
    iam.tag_mfa_device(SerialNumber=device.serial, Tags=tags)
    iam.untag_mfa_device(SerialNumber=device.serial, TagKeys=["a"])
    found = iam.list_mfa_device_tags(SerialNumber=device.serial)["Tags"]
    assert found == tags[1:]
