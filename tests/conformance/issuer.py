"""An OpenID Connect issuer over HTTPS, with a certificate authority of its own."""

import contextlib
import datetime
import hashlib
import http.server
import ipaddress
import json
import ssl
import threading
import time

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

PEM = serialization.Encoding.PEM
DER = serialization.Encoding.DER


class Authority:
    """A certificate authority for this machine, which nobody else knows."""

    def __init__(self, folder):
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "issuers of the tests")])
        builder = self._builder(self.name, self.key.public_key())
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        self.certificate = builder.sign(self.key, hashes.SHA256())
        self.bundle = folder / "authority.pem"
        self.bundle.write_bytes(self.certificate.public_bytes(PEM))

    @property
    def thumbprint(self):
        return hashlib.sha1(self.certificate.public_bytes(DER)).hexdigest()

    def context(self):
        """What a server for `localhost` shows, the authority included."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        builder = self._builder(subject, key.public_key())
        builder = builder.add_extension(x509.SubjectAlternativeName(names), False)
        chain = [builder.sign(self.key, hashes.SHA256()), self.certificate]
        file = self.folder / f"issuer-{x509.random_serial_number()}.pem"
        plain = serialization.NoEncryption()
        private = key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, plain)
        file.write_bytes(private + b"".join(it.public_bytes(PEM) for it in chain))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _builder(self, subject, public):
        now = datetime.datetime.now(datetime.timezone.utc)
        day = datetime.timedelta(days=1)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - day)
            .not_valid_after(now + day)
        )


class Issuer:
    """Discovery, keys, and the tokens to go with them."""

    def __init__(self, authority, path=""):
        self.keys = {}
        self.asked = []
        self.hanging = threading.Event()
        self.released = threading.Event()
        self.roll("first")
        issuer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                issuer.asked.append(self.path)
                if issuer.hanging.is_set():
                    issuer.released.wait(60)
                    return
                document = issuer.documents().get(self.path)
                body = json.dumps(document).encode()
                self.send_response(200 if document is not None else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.socket = authority.context().wrap_socket(
            self.server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.path = path
        self.name = f"localhost:{self.server.server_port}{path}"
        self.url = f"https://{self.name}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def roll(self, kid, algorithm="RS256", replace=False):
        """Signs with a new key from now on."""
        if replace:
            self.keys.clear()
        if algorithm == "RS256":
            key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        else:
            key = ec.generate_private_key(ec.SECP256R1())
        self.keys[kid] = (algorithm, key)
        self.kid = kid

    def jwks(self):
        def public(kid, algorithm, key):
            kind = RSAAlgorithm if algorithm == "RS256" else ECAlgorithm
            written = json.loads(kind.to_jwk(key.public_key()))
            return {**written, "kid": kid, "alg": algorithm, "use": "sig"}

        return {"keys": [public(kid, *pair) for kid, pair in self.keys.items()]}

    def documents(self):
        return {
            f"{self.path}/.well-known/openid-configuration": {
                "issuer": self.url,
                "jwks_uri": f"{self.url}/keys",
                "response_types_supported": ["id_token"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256", "ES256"],
            },
            f"{self.path}/keys": self.jwks(),
        }

    def token(self, *, header=None, key=None, **claims):
        """A token that is good for ten minutes, unless `claims` say otherwise; `None` takes one away."""
        now = int(time.time())
        own = {"iss": self.url, "aud": "sts.amazonaws.com", "iat": now, "nbf": now}
        merged = {**own, "exp": now + 600, "sub": "somebody", **claims}
        algorithm, private = self.keys[self.kid]
        claims = {name: value for name, value in merged.items() if value is not None}
        header = {"kid": self.kid, **(header or {})}
        return jwt.encode(claims, key or private, algorithm, headers=header)

    @contextlib.contextmanager
    def silent(self):
        """Takes questions and doesn't answer them."""
        self.released.clear()
        self.hanging.set()
        try:
            yield
        finally:
            self.hanging.clear()
            self.released.set()

    def stop(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()


def of_kubernetes(namespace, name):
    """The claims of a service account's projected token."""
    return {
        "sub": f"system:serviceaccount:{namespace}:{name}",
        "aud": ["sts.amazonaws.com"],
        "kubernetes.io": {
            "namespace": namespace,
            "pod": {"name": f"{name}-6d4cf56db6-xkq2p", "uid": "5e0c6f9a-0000-4000-8000-000000000000"},
            "serviceaccount": {"name": name, "uid": "14ee3fa4-0000-4000-8000-000000000000"},
        },
    }


def of_github(repository, ref):
    """The claims of a workflow's token."""
    owner = repository.split("/")[0]
    return {
        "sub": f"repo:{repository}:ref:{ref}",
        "repository": repository,
        "repository_owner": owner,
        "repository_owner_id": "65",
        "ref": ref,
        "ref_type": "branch",
        "workflow": "deploy",
        "actor": "octocat",
        "environment": "production",
        "job_workflow_ref": f"{repository}/.github/workflows/deploy.yml@{ref}",
        "run_attempt": "1",
        "runner_environment": "github-hosted",
    }
