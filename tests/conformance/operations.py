"""Table: every operation with the smallest input that it accepts.

`SECRET` stands for the id of an existing secret, `VERSION` for the id of its current version, `TOKEN`
for a fresh token, `NAME` for a free name, `FUNCTION` for a function that rotates.
"""

import copy
import uuid

import botocore.session

POLICY = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow",'
    '"Principal":{"AWS":"arn:aws:iam::ACCOUNT:root"},"Action":"secretsmanager:GetSecretValue",'
    '"Resource":"*"}]}'
)

SMALLEST = {
    "BatchGetSecretValue": {"SecretIdList": ["SECRET"]},
    "CancelRotateSecret": {"SecretId": "SECRET"},
    "CreateSecret": {"Name": "NAME", "SecretString": "a", "ClientRequestToken": "TOKEN"},
    "DeleteResourcePolicy": {"SecretId": "SECRET"},
    "DeleteSecret": {"SecretId": "SECRET"},
    "DescribeSecret": {"SecretId": "SECRET"},
    "GetRandomPassword": {},
    "GetResourcePolicy": {"SecretId": "SECRET"},
    "GetSecretValue": {"SecretId": "SECRET"},
    "ListResourcePolicies": {"SecretId": "SECRET"},
    "ListSecretVersionIds": {"SecretId": "SECRET"},
    "ListSecrets": {},
    "PutResourcePolicy": {"SecretId": "SECRET", "ResourcePolicy": POLICY},
    "PutSecretValue": {"SecretId": "SECRET", "SecretString": "b", "ClientRequestToken": "TOKEN"},
    "RestoreSecret": {"SecretId": "SECRET"},
    "RotateSecret": {"SecretId": "SECRET", "RotationLambdaARN": "FUNCTION", "ClientRequestToken": "TOKEN"},
    "TagResource": {"SecretId": "SECRET", "Tags": [{"Key": "k", "Value": "v"}]},
    "UntagResource": {"SecretId": "SECRET", "TagKeys": ["k"]},
    "UpdateSecret": {"SecretId": "SECRET", "Description": "d", "ClientRequestToken": "TOKEN"},
    "UpdateSecretVersionStage": {
        "SecretId": "SECRET",
        "VersionStage": "X",
        "MoveToVersionId": "VERSION",
    },
    "ValidateResourcePolicy": {"ResourcePolicy": POLICY},
}

# In the model, and not built yet: they answer as if they did not exist.
NOT_BUILT = [
    "AssociateCrossAccountReplica",
    "DisassociateCrossAccountReplica",
    "RemoveRegionsFromReplication",
    "ReplicateSecretToRegions",
    "StopReplicationToReplica",
]

# Operations that name one secret; the others ask about the caller's own account.
ON_A_SECRET = [name for name, members in SMALLEST.items() if "SecretId" in members]


def model(operation):
    """The official model of an operation."""
    service = botocore.session.get_session().get_service_model("secretsmanager")
    return service.operation_model(operation)


def smallest(operation, *, secret="t/one", version="", account="000000000000", name=None):
    """The smallest input of `operation`, filled in."""
    values = {
        "SECRET": secret,
        "VERSION": version,
        "FUNCTION": f"arn:aws:lambda:us-east-1:{account}:function:strongroom-native",
        "TOKEN": str(uuid.uuid4()),
        "NAME": name or f"n/{uuid.uuid4()}",
        POLICY: POLICY.replace("ACCOUNT", account),
    }

    def fill(value):
        if isinstance(value, dict):
            return {key: fill(it) for key, it in value.items()}
        if isinstance(value, list):
            return [fill(it) for it in value]
        return values.get(value, value)

    return fill(copy.deepcopy(SMALLEST[operation]))
