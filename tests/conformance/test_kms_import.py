"""Key material that was made elsewhere: wrapped by openssl, sent by unmodified boto3, out and back again."""

import base64
import datetime
import os
import subprocess
import time

import botocore.exceptions
import pytest

ALGORITHMS = [
    "RSAES_OAEP_SHA_1",
    "RSAES_OAEP_SHA_256",
    "RSA_AES_KEY_WRAP_SHA_1",
    "RSA_AES_KEY_WRAP_SHA_256",
]
STAYS = {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}


@pytest.fixture
def kms(server, region):
    return server.client(region, service="kms")


@pytest.fixture
def key(kms):
    made = kms.create_key(Origin="EXTERNAL")["KeyMetadata"]
    assert (made["KeyState"], made["Origin"]) == ("PendingImport", "EXTERNAL")
    return made["Arn"]


def openssl(*arguments, given):
    return subprocess.run(["openssl", *arguments], input=given, capture_output=True, check=True).stdout


def wrap(folder, parameters, algorithm, material):
    """`material` as the KMS Developer Guide wraps it with OpenSSL."""
    public = folder / "public.der"
    public.write_bytes(parameters["PublicKey"])
    digest = "sha1" if algorithm.endswith("SHA_1") else "sha256"
    oaep = ["rsa_padding_mode:oaep", f"rsa_oaep_md:{digest}", f"rsa_mgf1_md:{digest}"]
    line = ["pkeyutl", "-encrypt", "-keyform", "DER", "-pubin", "-inkey", str(public)]
    line += [part for option in oaep for part in ("-pkeyopt", option)]
    if algorithm.startswith("RSAES"):
        return openssl(*line, given=material)
    wrapper = os.urandom(32)
    aes = ["enc", "-id-aes256-wrap-pad", "-iv", "A65959A6", "-K", wrapper.hex()]
    return openssl(*line, given=wrapper) + openssl(*aes, given=material)


def send(kms, folder, key, material, algorithm="RSAES_OAEP_SHA_256", spec="RSA_2048", **members):
    given = kms.get_parameters_for_import(
        KeyId=key, WrappingAlgorithm=algorithm, WrappingKeySpec=spec
    )
    return kms.import_key_material(
        KeyId=key,
        ImportToken=given["ImportToken"],
        EncryptedKeyMaterial=wrap(folder, given, algorithm, material),
        **members,
    )


def state(kms, key):
    return kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("spec", ["RSA_2048", "RSA_3072", "RSA_4096"])
def test_material_arrives_by_each_algorithm(kms, key, tmp_path, algorithm, spec):
    material = os.urandom(32)
    sent = send(kms, tmp_path, key, material, algorithm, spec, **STAYS)
    described = kms.describe_key(KeyId=key)["KeyMetadata"]
    assert described["KeyState"] == "Enabled"
    assert described["ExpirationModel"] == "KEY_MATERIAL_DOES_NOT_EXPIRE"
    assert described["CurrentKeyMaterialId"] == sent["KeyMaterialId"]
    blob = kms.encrypt(KeyId=key, Plaintext=b"canary")["CiphertextBlob"]
    # Sent once more by another way, it is the same.
    kms.delete_imported_key_material(KeyId=key)
    again = send(kms, tmp_path, key, material, **STAYS)
    assert again["KeyMaterialId"] == sent["KeyMaterialId"]
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"canary"


def test_a_secret_goes_and_comes_back_with_the_material(server, region, kms, key, tmp_path):
    material = os.urandom(32)
    ends = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=3)
    send(kms, tmp_path, key, material, ValidTo=ends)
    secrets = server.client(region)
    secrets.create_secret(Name="s", SecretString="canary-4711", KmsKeyId=key)
    assert secrets.get_secret_value(SecretId="s")["SecretString"] == "canary-4711"

    limit = time.monotonic() + 60
    while state(kms, key) != "PendingImport":
        assert time.monotonic() < limit, "it doesn't expire"
    with pytest.raises(botocore.exceptions.ClientError, match="is pending import"):
        secrets.get_secret_value(SecretId="s")
    with pytest.raises(kms.exceptions.IncorrectKeyMaterialException):
        send(kms, tmp_path, key, os.urandom(32), **STAYS)
    send(kms, tmp_path, key, material, **STAYS)
    assert secrets.get_secret_value(SecretId="s")["SecretString"] == "canary-4711"


def test_new_material_waits_for_its_rotation(kms, key, tmp_path):
    first = send(kms, tmp_path, key, os.urandom(32), **STAYS)["KeyMaterialId"]
    told = {"ImportType": "NEW_KEY_MATERIAL", "KeyMaterialDescription": "second", **STAYS}
    second = send(kms, tmp_path, key, os.urandom(32), **told)["KeyMaterialId"]

    def listed():
        entries = kms.list_key_rotations(KeyId=key, IncludeKeyMaterial="ALL_KEY_MATERIAL")
        return {it["KeyMaterialId"]: it["KeyMaterialState"] for it in entries["Rotations"]}

    assert listed() == {first: "CURRENT", second: "PENDING_ROTATION"}
    kms.rotate_key_on_demand(KeyId=key)
    assert listed() == {first: "NON_CURRENT", second: "CURRENT"}


def test_tokens_of_others_and_broken_ones_are_refused(kms, key, tmp_path):
    given = kms.get_parameters_for_import(
        KeyId=key, WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048"
    )
    sealed = wrap(tmp_path, given, "RSAES_OAEP_SHA_256", os.urandom(32))
    other = kms.create_key(Origin="EXTERNAL")["KeyMetadata"]["Arn"]
    with pytest.raises(kms.exceptions.InvalidImportTokenException):
        kms.import_key_material(
            KeyId=other, ImportToken=given["ImportToken"], EncryptedKeyMaterial=sealed, **STAYS
        )
    with pytest.raises(kms.exceptions.InvalidCiphertextException):
        kms.import_key_material(
            KeyId=key,
            ImportToken=given["ImportToken"],
            EncryptedKeyMaterial=base64.b64encode(sealed),
            **STAYS,
        )
    assert state(kms, key) == "PendingImport"
