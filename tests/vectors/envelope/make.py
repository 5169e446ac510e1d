#!/usr/bin/env python3
"""Makes derived.json and single-use.json from the description in crates/envelope/src/message/mod.rs.

A second implementation on another library (pip: cryptography), so that the vectors don't only
repeat what the first one does. The files must never change for constructions that exist.
"""

import hashlib
import json
import pathlib
import struct

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.kbkdf import KBKDFHMAC, CounterLocation, Mode

HERE = pathlib.Path(__file__).parent
MAGIC = 0xD6


def stream(seed, count):
    return hashlib.shake_256(seed.encode()).digest(count)


def aad(label, fields, context):
    items = [label.encode()] + [field.encode() for field in fields]
    if context is not None:
        items.append(struct.pack(">Q", len(context)))
        for name in sorted(context, key=lambda it: it.encode()):
            items += [name.encode(), context[name].encode()]
    return b"".join(struct.pack(">I", len(item)) + item for item in items)


def kbkdf(key, label, salt, length):
    fixed = label.encode() + bytes([0, MAGIC, 1]) + salt + struct.pack(">I", 8 * length)
    return KBKDFHMAC(
        algorithm=hashes.SHA256(), mode=Mode.CounterMode, length=length, rlen=4, llen=None,
        location=CounterLocation.BeforeFixed, label=None, context=None, fixed=fixed,
    ).derive(key)


def derived(case, key, plaintext, entropy):
    salt, nonce = entropy[:32], entropy[32:44]
    bound = aad(case["label"], case["fields"], case["context"])
    sealed = AESGCM(kbkdf(key, case["label"], salt, 32)).encrypt(nonce, plaintext, bound)
    return bytes([MAGIC, 1]) + salt + kbkdf(key, "commit", salt, 16) + nonce + sealed


def single_use(case, key, plaintext, entropy):
    nonce = entropy[:12]
    bound = aad(case["label"], case["fields"], case["context"])
    return bytes([MAGIC, 2]) + nonce + AESGCM(key).encrypt(nonce, plaintext, bound)


KMS = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
SECRET = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:prod/db-AbCdEf"
VERSION = "EXAMPLE1-90ab-cdef-fedc-ba987EXAMPLE"
CONTEXT = {"SecretVersionId": VERSION, "SecretARN": SECRET}

DERIVED = [
    ("kek", "sr1|kek", ["111122223333", "eu-central-1", "1", "file:0011223344556677"], None, 32),
    ("material", "sr1|mat", ["111122223333", "eu-central-1", KMS, "material"], None, 32),
    ("data key", "sr1|ct", [KMS, "material"], CONTEXT, 32),
    ("context sorted by bytes", "sr1|ct", [], {"é": "1", "z": "2", "Z": "3", "": "4"}, 5),
    ("empty plaintext, no fields", "sr1|can", [], None, 0),
    ("empty context", "sr1|ct", [], {}, 1),
    ("several blocks", "sr1|loc", ["", "purpose"], None, 200),
]
SINGLE_USE = [
    ("value", "sr1|val", [SECRET, VERSION, "string"], None, 33),
    ("empty value", "sr1|val", [], None, 0),
    ("several blocks", "sr1|val", ["binary"], None, 200),
]


def write(name, cases, seal):
    out = []
    for title, label, fields, context, length in cases:
        case = {"name": title, "label": label, "fields": fields, "context": context}
        key = stream("key " + title, 32)
        plaintext = stream("plaintext " + title, length)
        entropy = stream("entropy " + title, 44)
        sealed = seal(case, key, plaintext, entropy)
        case |= {"key": key.hex(), "entropy": entropy.hex()}
        case |= {"plaintext": plaintext.hex(), "sealed": sealed.hex()}
        out.append(case)
    (HERE / name).write_text(json.dumps(out, indent=2, ensure_ascii=False) + "\n")


write("derived.json", DERIVED, derived)
write("single-use.json", SINGLE_USE, single_use)
