"""Writes `requests.json`: requests signed by keys of certificates, after AWS's description alone.

`openssl` makes the keys and signs; the canonical request is spelled here. Run it again for other keys:
`python3 make.py > requests.json`.

Source: IAM Roles Anywhere User Guide, "The authentication signing process".
"""

import base64
import hashlib
import json
import pathlib
import subprocess
import tempfile

DATE = "20260131T100000Z"
KEYS = [
    ("rsa-2048", "RSA", ("RSA", "-pkeyopt", "rsa_keygen_bits:2048")),
    ("rsa-4096", "RSA", ("RSA", "-pkeyopt", "rsa_keygen_bits:4096")),
    ("rsa-1024", "RSA", ("RSA", "-pkeyopt", "rsa_keygen_bits:1024")),
    ("p-256", "ECDSA", ("EC", "-pkeyopt", "ec_paramgen_curve:P-256")),
    ("p-384", "ECDSA", ("EC", "-pkeyopt", "ec_paramgen_curve:P-384")),
    ("p-521", "ECDSA", ("EC", "-pkeyopt", "ec_paramgen_curve:P-521")),
    ("secp256k1", "ECDSA", ("EC", "-pkeyopt", "ec_paramgen_curve:secp256k1")),
]
QUERY = (
    "profileArn=arn%3Aaws%3Arolesanywhere%3Aeu-west-1%3A111122223333%3Aprofile%2Fp"
    "&roleArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fapp"
    "&trustAnchorArn=arn%3Aaws%3Arolesanywhere%3Aeu-west-1%3A111122223333%3Atrust-anchor%2Ft"
)


def openssl(*arguments, data=b""):
    return subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=True).stdout


def request(name, scheme, kind, folder):
    key = str(folder / name)
    openssl("genpkey", "-algorithm", *kind, "-out", key)
    leaf = openssl(
        "req", "-x509", "-new", "-key", key, "-subj", f"/CN={name}", "-set_serial", "4711",
        "-days", "1", "-outform", "DER",
    )  # fmt: skip
    headers = {
        "content-type": "application/json",
        "host": "rolesanywhere.eu-west-1.amazonaws.com",
        "x-amz-date": DATE,
        "x-amz-x509": base64.b64encode(leaf).decode(),
        "x-amz-x509-chain": "QQ==,QUE=",
    }
    body = '{"durationSeconds": 3600}'
    names = ";".join(headers)
    lines = [f"{name}:{value}" for name, value in headers.items()]
    hashed = hashlib.sha256(body.encode()).hexdigest()
    canonical = "\n".join(["POST", "/sessions", QUERY, *lines, "", names, hashed])
    scope = f"{DATE[:8]}/eu-west-1/rolesanywhere/aws4_request"
    algorithm = f"AWS4-X509-{scheme}-SHA256"
    text = "\n".join([algorithm, DATE, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    signature = openssl("dgst", "-sha256", "-sign", key, data=text.encode()).hex()
    headers["authorization"] = (
        f"{algorithm} Credential=4711/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    public = openssl("pkey", "-in", key, "-pubout", "-outform", "DER").hex()
    return {"name": name, "query": QUERY, "headers": headers, "body": body, "publicKey": public}


def main():
    with tempfile.TemporaryDirectory() as folder:
        made = [request(*key, pathlib.Path(folder)) for key in KEYS]
    print(json.dumps(made, indent=1))


if __name__ == "__main__":
    main()
