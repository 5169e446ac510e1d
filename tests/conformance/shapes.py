"""Answers against the official model: whatever a client of the tests is answered has exactly its shapes.

`watch` looks at every successful answer of a boto3 client before botocore's parser, which overlooks members
it doesn't know: here one that isn't in the model, a required one that is missing, a null, another type or an
unknown word of an enumeration fails the test that made the call.
"""

import json
import xml.etree.ElementTree

NAMESPACES = {
    "iam": "https://iam.amazonaws.com/doc/2010-05-08/",
    "sts": "https://sts.amazonaws.com/doc/2011-06-15/",
}
# Observed at the service, outside of the enumeration of its model.
BEYOND = {
    "PermissionsBoundaryAttachmentType": {"Policy"},
    "PolicySourceType": {"IAM Policy"},
}
# What was answered so far, by service and operation, and what is served: see `conftest.py`.
answered = set()
served = set()
TYPES = {
    "blob": str,
    "boolean": bool,
    "double": (int, float),
    "float": (int, float),
    "integer": int,
    "list": list,
    "long": int,
    "map": dict,
    "string": str,
    "structure": dict,
    "timestamp": (int, float),
}


def watch(client):
    """Has every answer of `client` checked."""
    model = client.meta.service_model

    def check(response_dict, event_name, **_):
        if response_dict is None or response_dict["status_code"] >= 300:
            return
        operation = model.operation_model(event_name.rsplit(".", 1)[1])
        answered.add((model.service_name, operation.name))
        told = differences(operation, response_dict["body"])
        assert not told, f"{operation.name}: {told}"

    client.meta.events.register("response-received", check)
    return client


def differences(operation, body):
    """What of an answer isn't as the model has it."""
    if operation.service_model.protocol == "query":
        return of_query(operation, xml.etree.ElementTree.fromstring(body))
    shape = operation.output_shape
    if shape is not None and "payload" in shape.serialization:
        return []
    if shape is None or all("location" in it.serialization for it in shape.members.values()):
        return [] if body in (b"", b"{}") else [f"a body where none is expected: {body[:80]!r}"]
    return of_json(shape, json.loads(body), operation.name)


def of_json(shape, value, path):
    kind = TYPES[shape.type_name]
    if shape.serialization.get("timestampFormat") == "iso8601":
        return of_text(shape, value, path) if isinstance(value, str) else [f"{path} is no text"]
    if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
        return [f"{path} is {type(value).__name__}, not {shape.type_name}"]
    if shape.type_name == "list":
        told = (of_json(shape.member, it, f"{path}[]") for it in value)
        return [it for each in told for it in each]
    if shape.type_name == "map":
        told = (of_json(shape.value, it, f"{path}.{key}") for key, it in value.items())
        return [it for each in told for it in each]
    if shape.type_name != "structure":
        return of_word(shape, value, path)
    told = of_names(shape, shape.members, list(value), path)
    for name in set(value) & set(shape.members):
        told += of_json(shape.members[name], value[name], f"{path}.{name}")
    return told


def of_query(operation, tree):
    namespace = NAMESPACES[operation.service_model.service_name]
    for element in tree.iter():
        assert element.tag.startswith(f"{{{namespace}}}"), element.tag
        element.tag = element.tag.split("}")[1]
    told = [] if tree.tag == f"{operation.name}Response" else [f"the answer is a {tree.tag}"]
    if tree.findtext("ResponseMetadata/RequestId") is None:
        told.append("no request id")
    shape = operation.output_shape
    result = tree.find(f"{operation.name}Result")
    if shape is None:
        return told if result is None else [*told, "a result where none is expected"]
    if result is None:
        return told if not shape.members else [*told, "no result"]
    return told + of_xml(shape, result, operation.name)


def of_xml(shape, element, path):
    if shape.type_name == "list":
        told = [f"{path} holds {it.tag}" for it in element if it.tag != "member"]
        for each in element:
            told += of_xml(shape.member, each, f"{path}[]")
        return told
    if shape.type_name == "map":
        told = []
        for entry in element:
            names = [it.tag for it in entry]
            told += [] if (entry.tag, names) == ("entry", ["key", "value"]) else [f"{path}: {names}"]
        return told
    if shape.type_name == "structure":
        names = [it.tag for it in element]
        members = {it.serialization.get("name", name): it for name, it in shape.members.items()}
        told = of_names(shape, members, names, path)
        for each in element:
            if each.tag in members:
                told += of_xml(members[each.tag], each, f"{path}.{each.tag}")
        return told
    told = [f"{path} holds {it.tag}" for it in element]
    return told + of_text(shape, element.text or "", path)


def of_text(shape, text, path):
    match shape.type_name:
        case "boolean":
            good = text in ("true", "false")
        case "integer" | "long":
            good = text.lstrip("-").isdigit()
        case "timestamp":
            good = len(text) == len("2026-01-31T10:00:00Z") and text[10] == "T" and text[-1] == "Z"
        case _:
            return of_word(shape, text, path)
    return [] if good else [f"{path} is {text!r}, not {shape.type_name}"]


def of_word(shape, value, path):
    words = getattr(shape, "enum", [])
    good = not words or value in words or value in BEYOND.get(shape.name, ())
    return [] if good else [f"{path} is {value!r}, none of {words}"]


def of_names(shape, members, names, path):
    told = [f"{path}.{it} isn't in the model" for it in names if it not in members]
    told += [f"{path}.{it} is there twice" for it in set(names) if names.count(it) > 1]
    required = getattr(shape, "required_members", [])
    return told + [f"{path}.{it} is missing" for it in required if it not in names]
