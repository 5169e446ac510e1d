"""A credential process for IAM Roles Anywhere, after AWS's description of the signing process.

It shares nothing with the server: the canonical request is written here, `openssl` signs. It prints what
`credential_process` wants, or the error's code and message to standard error.

Source: IAM Roles Anywhere User Guide, "The authentication signing process".
"""

import argparse
import base64
import datetime
import hashlib
import http.client
import json
import subprocess
import sys
from urllib.parse import quote, urlsplit


def openssl(*arguments, data=b""):
    return subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=True).stdout


def der(path):
    return base64.b64encode(openssl("x509", "-in", path, "-outform", "DER")).decode()


def chain(path):
    """The certificates of a PEM file, each as DER in base64."""
    marker = "-----BEGIN CERTIFICATE-----"
    pems = open(path, encoding="ascii").read().split(marker)[1:]
    parts = [(marker + it).encode() for it in pems]
    return [base64.b64encode(openssl("x509", "-outform", "DER", data=it)).decode() for it in parts]


def signed(options, query, headers, body):
    """`headers` with the one that signs them all."""
    text = openssl("x509", "-in", options.certificate, "-noout", "-serial").decode()
    serial = int(text.strip().removeprefix("serial="), 16)
    kind = openssl("pkey", "-in", options.private_key, "-noout", "-text").decode()
    name = "RSA" if "modulus" in kind else "ECDSA"
    algorithm = f"AWS4-X509-{name}-SHA256"
    names = sorted(headers)
    canonical = "\n".join(
        [
            "POST",
            "/sessions",
            query,
            *(f"{it}:{headers[it]}" for it in names),
            "",
            ";".join(names),
            hashlib.sha256(body).hexdigest(),
        ]
    )
    date = headers["x-amz-date"]
    scope = f"{date[:8]}/{options.region}/rolesanywhere/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = "\n".join([algorithm, date, scope, digest]).encode()
    signature = openssl("dgst", "-sha256", "-sign", options.private_key, data=text).hex()
    authorization = (
        f"{algorithm} Credential={serial}/{scope}, SignedHeaders={';'.join(names)}, "
        f"Signature={signature}"
    )
    return headers | {"authorization": authorization}


def ask(options, now=None):
    """The answer of CreateSession, signed at `now`: status, the error's code, the body."""
    members = {
        "profileArn": options.profile_arn,
        "roleArn": options.role_arn,
        "trustAnchorArn": options.trust_anchor_arn,
    }
    query = "&".join(f"{key}={quote(value, safe='')}" for key, value in sorted(members.items()))
    asked = {"durationSeconds": options.duration}
    if options.role_session_name:
        asked["roleSessionName"] = options.role_session_name
    body = json.dumps(asked).encode()
    host = urlsplit(options.endpoint).netloc
    now = now or datetime.datetime.now(datetime.timezone.utc)
    headers = {
        "content-type": "application/json",
        "host": host,
        "x-amz-date": now.strftime("%Y%m%dT%H%M%SZ"),
        "x-amz-x509": der(options.certificate),
    }
    if options.intermediates:
        headers["x-amz-x509-chain"] = ",".join(chain(options.intermediates))
    connection = http.client.HTTPConnection(host, timeout=60)
    connection.request("POST", f"/sessions?{query}", body, signed(options, query, headers, body))
    answer = connection.getresponse()
    return answer.status, answer.getheader("x-amzn-ErrorType"), json.loads(answer.read())


def parsed(arguments=None):
    parser = argparse.ArgumentParser()
    for name in ("certificate", "private-key", "endpoint", "region"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("trust-anchor-arn", "profile-arn", "role-arn"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--intermediates")
    parser.add_argument("--role-session-name")
    parser.add_argument("--duration", type=int, default=3600)
    return parser.parse_args(arguments)


def main():
    status, code, answer = ask(parsed())
    if status != 201:
        sys.exit(f"{status} {code}: {answer['message']}")
    credentials = answer["credentialSet"][0]["credentials"]
    print(
        json.dumps(
            {
                "Version": 1,
                "AccessKeyId": credentials["accessKeyId"],
                "SecretAccessKey": credentials["secretAccessKey"],
                "SessionToken": credentials["sessionToken"],
                "Expiration": credentials["expiration"],
            }
        )
    )


if __name__ == "__main__":
    main()
