"""A certificate authority in a folder, by the `openssl` command."""

import pathlib
import subprocess

CA = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"
LEAF = "basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\n"
RSA = ("RSA", "-pkeyopt", "rsa_keygen_bits:2048")
EC = ("EC", "-pkeyopt", "ec_paramgen_curve:P-256")
DATABASE = """[ca]
default_ca = it
[it]
database = {0}/index.txt
crlnumber = {0}/crlnumber
default_md = sha256
default_crl_days = 1
crl_extensions = extensions
[extensions]
authorityKeyIdentifier = keyid
"""


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], capture_output=True, check=True, stdin=subprocess.DEVNULL)


class Authority:
    """An authority; with `issuer`, one below another."""

    def __init__(self, folder, subject="/CN=Test CA/O=Strongroom", issuer=None, key=EC):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir()
        self.count = 0
        self.certificate, self.key = self.make(subject, CA, key, issuer or self)
        (self.folder / "index.txt").touch()
        (self.folder / "crlnumber").write_text("01\n")
        (self.folder / "openssl.cnf").write_text(DATABASE.format(self.folder))

    @property
    def pem(self):
        return pathlib.Path(self.certificate).read_text()

    def issue(self, subject, extensions=LEAF, key=EC):
        """The paths of a certificate and its key."""
        return self.make(subject, extensions, key, self)

    def make(self, subject, extensions, key, issuer):
        self.count += 1
        base = self.folder / f"c{self.count}"
        paths = {it: f"{base}.{it}" for it in ("pem", "key", "csr", "ext")}
        pathlib.Path(paths["ext"]).write_text(extensions)
        openssl("genpkey", "-algorithm", *key, "-out", paths["key"])
        openssl("req", "-new", "-key", paths["key"], "-subj", subject, "-out", paths["csr"])
        signer = ("-signkey", paths["key"])
        if self.count > 1 or issuer is not self:
            signer = ("-CA", issuer.certificate, "-CAkey", issuer.key)
        openssl(
            "x509", "-req", "-in", paths["csr"], *signer, "-days", "2",
            "-extfile", paths["ext"], "-out", paths["pem"],
        )  # fmt: skip
        return paths["pem"], paths["key"]

    def revoke(self, *certificates):
        """A revocation list with these on it, besides those that were on it."""
        configuration = ("-config", str(self.folder / "openssl.cnf"))
        signer = ("-cert", self.certificate, "-keyfile", self.key)
        for certificate in certificates:
            openssl("ca", *configuration, *signer, "-revoke", certificate)
        out = self.folder / "crl.pem"
        openssl("ca", *configuration, *signer, "-gencrl", "-out", str(out))
        return out.read_bytes()
