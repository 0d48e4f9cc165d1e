#!/usr/bin/env python3
"""Prints what the published API models say of the calls that parfetch makes: `python3 extract.py > aws.json`.

Needs botocore, from PyPI, in an environment of its own. Keeps operations, how they are sent, and every shape that they reach: members, what is
required, types, bounds, enumerations, patterns. Leaves documentation out. A shape a line, so that a newer model shows as a readable difference.
"""

import gzip
import json
import pathlib

import botocore

WANTED = {
    "ecs": ["RunTask", "DescribeTasks", "StopTask", "ListTasks", "DescribeTaskDefinition"],
    "batch": ["SubmitJob", "DescribeJobs", "ListJobs", "TerminateJob", "CancelJob"],
    "service-quotas": ["GetServiceQuota", "GetAWSDefaultServiceQuota"],
    "cloudformation": ["DescribeStacks"],
    "logs": ["GetLogEvents"],
}
SHAPE = ["type", "required", "min", "max", "enum", "pattern", "timestampFormat", "flattened"]
MEMBER = ["shape", "location", "locationName", "queryName", "flattened", "timestampFormat", "idempotencyToken"]
LICENCE = "Extracted from botocore's data, Copyright Amazon.com, Inc. or its affiliates, under the Apache License 2.0 (LICENSE-APACHE)."


def picked(source, names):
    return {name: source[name] for name in names if name in source}


def references(shape):
    yield from (member["shape"] for member in shape.get("members", {}).values())
    yield from (shape[part]["shape"] for part in ("member", "key", "value") if part in shape)


def reduced(shape):
    kept = picked(shape, SHAPE)
    if "members" in shape:
        kept["members"] = {name: picked(member, MEMBER) for name, member in shape["members"].items()}
    for part in ("member", "key", "value"):
        if part in shape:
            kept[part] = picked(shape[part], MEMBER)
    return kept


def service(name):
    folder = pathlib.Path(botocore.__file__).parent / "data" / name
    newest = sorted(folder.glob("*/service-2.json.gz"))[-1]
    model = json.loads(gzip.decompress(newest.read_bytes()))
    operations, todo, shapes = {}, [], {}
    for wanted in WANTED[name]:
        operation = model["operations"][wanted]
        ends = {end: operation[end]["shape"] for end in ("input", "output") if end in operation}
        todo += ends.values()
        wrapper = picked(operation.get("output", {}), ["resultWrapper"])
        errors = sorted(error["shape"] for error in operation.get("errors", []))
        operations[wanted] = {**operation["http"], **ends, **wrapper, "errors": errors}
    while todo:
        shape = todo.pop()
        if shape not in shapes:
            shapes[shape] = reduced(model["shapes"][shape])
            todo += references(model["shapes"][shape])
    metadata = model["metadata"]
    about = {"signingName": metadata.get("signingName", metadata["endpointPrefix"])}
    about |= picked(metadata, ["apiVersion", "protocol", "jsonVersion", "targetPrefix", "xmlNamespace"])
    return {"metadata": about, "operations": operations, "shapes": dict(sorted(shapes.items()))}


def lines(table, indent):
    rows = [f"{indent}{json.dumps(name)}: {json.dumps(row)}" for name, row in table.items()]
    return "{\n" + ",\n".join(rows) + "\n" + indent[1:] + "}"


def main():
    print("{")
    print(f' "botocore": {json.dumps(botocore.__version__)},')
    print(f' "licence": {json.dumps(LICENCE)},')
    print(' "services": {')
    parts = []
    for name in WANTED:
        model = service(name)
        parts.append(
            f'  {json.dumps(name)}: {{\n   "metadata": {json.dumps(model["metadata"])},\n'
            f'   "operations": {lines(model["operations"], "    ")},\n   "shapes": {lines(model["shapes"], "    ")}\n  }}'
        )
    print(",\n".join(parts) + "\n }\n}")


if __name__ == "__main__":
    main()
