"""Two emulators of AWS on 127.0.0.1, started for a test, and the stack made in one of them."""

import os
import pathlib
import socket
import subprocess
import sys
import time

import boto3
import moto.cloudformation.parsing

from stack import NAME, REGION

CREDENTIALS = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": REGION}
PATIENCE = 30


def create(cloudformation, template, **parameters):
    """Makes the stack; its outputs by name."""
    given = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
    cloudformation.create_stack(StackName=NAME, TemplateBody=template, Parameters=given, Capabilities=["CAPABILITY_IAM"])
    deadline = time.monotonic() + PATIENCE
    while True:
        (stack,) = cloudformation.describe_stacks(StackName=NAME)["Stacks"]
        if not stack["StackStatus"].endswith("_IN_PROGRESS"):
            break
        assert time.monotonic() < deadline, stack
        time.sleep(0.1)
    assert stack["StackStatus"] == "CREATE_COMPLETE", stack
    return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}


def mend_moto():
    """moto keeps NoValue in lists as null. Returns what takes the mending back."""
    original = moto.cloudformation.parsing.clean_json

    def clean_json(value, resources):
        cleaned = original(value, resources)
        return [one for one in cleaned if one is not None] if isinstance(cleaned, list) else cleaned

    moto.cloudformation.parsing.clean_json = clean_json
    return lambda: setattr(moto.cloudformation.parsing, "clean_json", original)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class MinistackServer:
    """ministack, until `end`."""

    def __init__(self, services):
        port = free_port()
        variables = {**os.environ, "BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "SERVICES": services, "IOT_MTLS_ENABLED": "0"}
        program = pathlib.Path(sys.executable).with_name("ministack")
        self.process = subprocess.Popen([program], env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.endpoint = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + PATIENCE
        while not listens(port):
            assert self.process.poll() is None and time.monotonic() < deadline, "ministack does not start"
            time.sleep(0.05)

    def client(self, service):
        return boto3.client(service, endpoint_url=self.endpoint, **CREDENTIALS)

    def end(self):
        self.process.terminate()
        self.process.wait(PATIENCE)


def listens(port):
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0
