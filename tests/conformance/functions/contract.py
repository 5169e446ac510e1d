"""What a rotation function does around the steps of its own: the contract of AWS's published templates.

It tells what it was asked; and, on purpose, what nobody may read in a log.
"""

import json
import os
import re

import boto3


def handle(event, of_kind):
    """Takes the step that `event` asks for, of a rotation of `of_kind`."""
    arn, token, step = event["SecretId"], event["ClientRequestToken"], event["Step"]
    known = bool(re.fullmatch("[a-zA-Z0-9-]{36,256}", event["RotationToken"]))
    print("asked", json.dumps({"step": step, "secret": arn, "token": token, "known": known}))
    client = boto3.client("secretsmanager", endpoint_url=os.environ["SECRETS_MANAGER_ENDPOINT"])
    described = client.describe_secret(SecretId=arn)
    if "RotationEnabled" in described and not described["RotationEnabled"]:
        raise ValueError(f"Secret {arn} is not enabled for rotation.")
    versions = described["VersionIdsToStages"]
    if token not in versions:
        raise ValueError(f"Secret version {token} has no stage for rotation of secret {arn}.")
    if "AWSCURRENT" in versions[token]:
        return
    if "AWSPENDING" not in versions[token]:
        raise ValueError(f"Secret version {token} not set as AWSPENDING for rotation of secret {arn}.")
    of = of_kind(client, arn, token)
    {"createSecret": of.create, "setSecret": of.set, "testSecret": of.test, "finishSecret": of.finish}[step]()


class Rotation:
    """A rotation of any text, that no server has to hear of."""

    def __init__(self, client, arn, token):
        self.client, self.arn, self.token = client, arn, token

    def create(self):
        current = self.value(VersionStage="AWSCURRENT")
        try:
            self.pending()
        except self.client.exceptions.ResourceNotFoundException:
            excluded = os.environ.get("EXCLUDE_CHARACTERS", "/@\"'\\")
            password = self.client.get_random_password(ExcludeCharacters=excluded)["RandomPassword"]
            print("made", password)
            made = {"ClientRequestToken": self.token, "VersionStages": ["AWSPENDING"]}
            value = self.next(current, password)
            self.client.put_secret_value(SecretId=self.arn, SecretString=value, **made)

    def next(self, current, password):
        return password

    def set(self):
        print("pending", self.pending())

    def test(self):
        if os.environ.get("BROKEN"):
            raise RuntimeError(f"nobody accepts {self.pending()}")

    def finish(self):
        versions = self.client.describe_secret(SecretId=self.arn)["VersionIdsToStages"]
        current = next(it for it, labels in versions.items() if "AWSCURRENT" in labels)
        if current == self.token:
            return
        move = {"MoveToVersionId": self.token, "RemoveFromVersionId": current}
        self.client.update_secret_version_stage(SecretId=self.arn, VersionStage="AWSCURRENT", **move)

    def value(self, **which):
        return self.client.get_secret_value(SecretId=self.arn, **which)["SecretString"]

    def pending(self):
        return self.value(VersionId=self.token, VersionStage="AWSPENDING")


def handler(event, context):
    handle(event, Rotation)
