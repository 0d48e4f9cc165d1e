"""`parfetch sweep --on ecs --stack NAME` against two emulators of AWS, as far as they go: `PARFETCH=path infra/tests/run.sh launcher`.

Neither runs a container. So a thread here plays Fargate: it starts a parfetch for every task that it finds, with the task's own environment, and
tells the emulator when that has ended. Not discovered with the other tests, because it takes a built parfetch.
"""

import json
import os
import pathlib
import subprocess
import tempfile
import threading
import unittest
import urllib.request

import boto3
from moto.server import ThreadedMotoServer

from emulators import CREDENTIALS, PATIENCE, MinistackServer, create, free_port, mend_moto
from stack import NAME, REGION, TEMPLATE


SOURCE = "images"
OBJECTS = 40
PARFETCH = os.environ.get("PARFETCH", str(TEMPLATE.parent.parent / "target" / "debug" / "parfetch"))


def environment(endpoint):
    """All that parfetch sees here."""
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true"}
    return {**keys, "AWS_ENDPOINT_URL": endpoint, "PATH": os.environ["PATH"]}


class Fargate(threading.Thread):
    """Runs the tasks that an emulator only writes down."""

    def __init__(self, ecs, endpoint, ended):
        super().__init__(daemon=True)
        self.ecs, self.endpoint, self.ended = ecs, endpoint, ended
        self.over = threading.Event()
        self.begun = []
        self.codes = []

    def run(self):
        while not self.over.wait(0.05):
            arns = self.ecs.list_tasks(cluster=NAME)["taskArns"]
            for task in self.ecs.describe_tasks(cluster=NAME, tasks=arns)["tasks"] if arns else []:
                if task["taskArn"] not in self.begun and task["lastStatus"] != "STOPPED":
                    self.begun.append(task["taskArn"])
                    self.one(task)

    def one(self, task):
        (override,) = task["overrides"]["containerOverrides"]
        definition = self.ecs.describe_task_definition(taskDefinition=task["taskDefinitionArn"])["taskDefinition"]
        (container,) = definition["containerDefinitions"]
        pairs = {one["name"]: one["value"] for one in container["environment"] + override["environment"]}
        with tempfile.TemporaryDirectory() as scratch:
            variables = {**environment(self.endpoint), **pairs, "PARFETCH_SPOOL_DIR": scratch}
            ran = subprocess.run([PARFETCH, "run"], env=variables, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
        self.codes.append((ran.returncode, ran.stderr))
        self.ended(task["taskArn"])


class Launcher:
    """What both emulators have to show. A subclass starts one, and says how it hears that a task has ended."""

    def fill(self):
        s3 = self.client("s3")
        s3.create_bucket(Bucket=SOURCE, CreateBucketConfiguration={"LocationConstraint": REGION})
        for number in range(OBJECTS):
            s3.put_object(Bucket=SOURCE, Key=f"object-{number:03}", Body=b"x" * 1000)

    more = ()

    def sweep(self, out, *arguments):
        command = [PARFETCH, "sweep", "--on", "ecs", "--stack", NAME, "--vcpu", "0.25,0.5", "-c", "1,4", "-m", "async,thread", "--client", "lean"]
        command += ["--repeat", "2", "--id", "first", "--out", out, "--poll-interval", "200ms", *self.more, *arguments]
        return subprocess.run(command, env=environment(self.endpoint), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=240, check=False)

    def test_a_sweep_runs_from_the_name_of_the_stack_alone(self):
        with tempfile.TemporaryDirectory() as out:
            asked = self.sweep(out)
            self.assertEqual(asked.returncode, 2, asked.stderr)
            self.assertIn("nothing was started: this sweep costs money", asked.stderr)
            self.assertIn("8 configurations × 2 runs", asked.stdout)
            self.assertEqual(self.client("ecs").list_tasks(cluster=NAME)["taskArns"], [])
            fargate = Fargate(self.client("ecs"), self.endpoint, self.ended)
            fargate.start()
            try:
                ran = self.sweep(out, "--yes")
            finally:
                fargate.over.set()
                fargate.join()
            self.assertEqual(ran.returncode, 0, ran.stderr)
            # 8 configurations twice, and a warm-up.
            self.assertEqual([code for code, _ in fargate.codes], [0] * 17, fargate.codes)
            records = [json.loads(path.read_text()) for path in sorted(pathlib.Path(out).glob("sweeps/first/*/r*/repetition.json"))]
            self.assertEqual(len(records), 17)
            for record in records:
                self.assertIsNone(record["failure"])
                self.assertEqual((record["sweep"]["on"], record["limited"]["cpu"]), ("ecs", "fargate"))
                self.assertTrue(record["tasks"][0]["arn"])
            # Which configuration wins differs from run to run; that one does must not.
            self.assertRegex(ran.stdout, r"(?m)^(A first look: c|C)heapest( and fastest)?( with the lean client)?: ")
            stored = self.client("s3").list_objects_v2(Bucket=self.outputs["ResultsBucket"], Prefix="parfetch/sweeps/first/")["Contents"]
            names = [one["Key"].rsplit("/", 1)[1] for one in stored]
            self.assertEqual(names.count("repetition.json"), 17)
            self.assertEqual(sum(name.endswith(".csv") for name in names), 17)


class Ministack(Launcher, unittest.TestCase):
    """Makes the stack from the template. Its tasks run for ever, and stop when they are told to."""

    @classmethod
    def setUpClass(cls):
        cls.server = MinistackServer("cloudformation,ec2,ecr,ecs,iam,logs,s3,sts,servicequotas")
        cls.addClassCleanup(cls.server.end)
        cls.endpoint = cls.server.endpoint
        cls.outputs = create(cls.client("cloudformation"), TEMPLATE.read_text(encoding="utf-8"), SourceBucket=SOURCE)
        cls.without_ulimits()
        cls.fill(cls)

    @classmethod
    def without_ulimits(cls):
        """It gives ulimits back without their names, which the SDK cannot read: the latest revision has none."""
        ecs = cls.client("ecs")
        latest = ecs.describe_task_definition(taskDefinition=NAME)["taskDefinition"]
        fields = ("family", "networkMode", "cpu", "memory", "requiresCompatibilities", "taskRoleArn", "executionRoleArn")
        containers = [{key: value for key, value in one.items() if key != "ulimits"} for one in latest["containerDefinitions"]]
        ecs.register_task_definition(**{key: latest[key] for key in fields}, containerDefinitions=containers)

    @classmethod
    def client(cls, service):
        return cls.server.client(service)

    def ended(self, arn):
        self.client("ecs").stop_task(cluster=NAME, task=arn, reason="its program has ended")


class Moto(Launcher, unittest.TestCase):
    """In this process. It loses most of a task definition that CloudFormation makes, wants memory for the container and a subnet of the default VPC,
    and takes a task further at every look; so it gets a definition by itself, and tasks stay as they are until they are told to stop."""

    @classmethod
    def setUpClass(cls):
        cls.addClassCleanup(mend_moto())
        server = ThreadedMotoServer("127.0.0.1", free_port(), verbose=False)
        server.start()
        cls.addClassCleanup(server.stop)
        host, port = server.get_host_and_port()
        cls.endpoint = f"http://{host}:{port}"
        cls.stay_as_they_are()
        image = f"123456789012.dkr.ecr.{REGION}.amazonaws.com/parfetch:0.1.0"
        cls.outputs = create(cls.client("cloudformation"), TEMPLATE.read_text(encoding="utf-8"), SourceBucket=SOURCE, Image=image)
        container = {"name": "parfetch", "image": image, "memory": 512, "environment": []}
        ecs = cls.client("ecs")
        ecs.register_task_definition(family=NAME, networkMode="awsvpc", cpu="256", memory="512", containerDefinitions=[container])
        subnet = cls.client("ec2").describe_subnets(Filters=[{"Name": "default-for-az", "Values": ["true"]}])["Subnets"][0]["SubnetId"]
        cls.more = ("--subnets", subnet)
        cls.fill(cls)

    @classmethod
    def stay_as_they_are(cls):
        body = {"model_name": "ecs::task", "transition": {"progression": "manual", "times": 1_000_000}}
        url = f"{cls.endpoint}/moto-api/state-manager/set-transition"
        request = urllib.request.Request(url, data=json.dumps(body).encode(), headers={"Content-Type": "application/json"})
        urllib.request.urlopen(request, timeout=PATIENCE).close()

    @classmethod
    def client(cls, service):
        return boto3.client(service, endpoint_url=cls.endpoint, **CREDENTIALS)

    def ended(self, arn):
        self.client("ecs").stop_task(cluster=NAME, task=arn, reason="its program has ended")


if __name__ == "__main__":
    unittest.main()
