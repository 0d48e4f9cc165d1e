"""The stack made in two emulators of AWS, as far as they go, and read back. What they leave out stands in the README of infra."""

import ast
import json
import os
import runpy
import time
import unittest
import warnings

import boto3
import botocore.exceptions
from moto import mock_aws
from moto.core import set_initial_no_auth_action_count

from emulators import PATIENCE, MinistackServer, create, mend_moto
from stack import NAME, REGION, TEMPLATE, Stack, load

SOURCE = "images"
IMAGE = f"123456789012.dkr.ecr.{REGION}.amazonaws.com/parfetch:0.1.0"


def denied(call, **arguments):
    try:
        call(**arguments)
    except botocore.exceptions.ClientError as error:
        return error.response["Error"]["Code"] == "AccessDenied"
    return False


class Moto(unittest.TestCase):
    """In this process. It keeps NoValue in lists as null, and wants a Batch service role: both are made up for here."""

    def setUp(self):
        self.addCleanup(mend_moto())
        os.environ.update(AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_DEFAULT_REGION=REGION)
        warnings.filterwarnings("ignore", message="Tried to parse AWS::S3::BucketPolicy")
        mock = mock_aws(config={"batch": {"use_docker": False}})
        mock.start()
        self.addCleanup(mock.stop)

    def make(self, **parameters):
        template = json.loads(json.dumps(load()))
        role = boto3.client("iam").create_role(RoleName="batch", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        template["Resources"]["ComputeEnvironment"]["Properties"]["ServiceRole"] = role
        return create(boto3.client("cloudformation"), json.dumps(template), SourceBucket=SOURCE, Image=IMAGE, **parameters)

    def test_outputs_are_those_that_are_expected(self):
        outputs = self.make()
        expected = Stack(SourceBucket=SOURCE, Image=IMAGE).outputs()
        self.assertEqual(outputs.keys(), expected.keys())
        same = {"Region", "TaskFamily", "ContainerName", "AssignPublicIp", "SourceBucket", "ResultsPrefix", "LogGroup", "Image", "ClusterArn"}
        for name in same | {"TaskDefinitionArn"}:
            self.assertEqual(outputs[name], expected[name], name)
        self.assertEqual(outputs["TaskDefinitionRevisionArn"], f"{outputs['TaskDefinitionArn']}:1")

    def test_policies_are_those_that_are_judged(self):
        """What the other tests judge was resolved by stack.py; moto resolves by itself, and gives the same but for names that it makes up."""
        parameters = {"SourcePrefix": "2026/", "ExistingResultsBucket": "my-results"}
        outputs = self.make(**parameters)
        iam = boto3.client("iam")
        role = outputs["TaskRoleArn"].rsplit("/", 1)[1]
        # moto stores it as Python would print it.
        document = ast.literal_eval(iam.get_role_policy(RoleName=role, PolicyName="source-and-results")["PolicyDocument"])
        (policy,) = Stack(SourceBucket=SOURCE, Image=IMAGE, **parameters).resources()["TaskRole"]["Properties"]["Policies"]
        self.assertEqual(document, policy["PolicyDocument"])

    def test_the_task_role_is_held_to_its_policy(self):
        """moto enforces actions and resources, not conditions; and not what CloudFormation attached, so the policy is attached here."""
        results = "my-results"
        (policy,) = Stack(SourceBucket=SOURCE, ExistingResultsBucket=results).resources()["TaskRole"]["Properties"]["Policies"]
        iam, s3 = boto3.client("iam"), boto3.client("s3")
        trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
        arn = iam.create_role(RoleName="task", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
        iam.put_role_policy(RoleName="task", PolicyName=policy["PolicyName"], PolicyDocument=json.dumps(policy["PolicyDocument"]))
        for name in (SOURCE, results, "others"):
            s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_object(Bucket=SOURCE, Key="parfetch/a", Body=b"1234")
        role = boto3.client("sts").assume_role(RoleArn=arn, RoleSessionName="task")["Credentials"]
        keys = ("AccessKeyId", "SecretAccessKey", "SessionToken")
        task = boto3.client("s3", **dict(zip(("aws_access_key_id", "aws_secret_access_key", "aws_session_token"), map(role.get, keys))))
        with_auth = set_initial_no_auth_action_count(0)(self.as_task)
        with_auth(task, results)

    def as_task(self, task, results):
        self.assertEqual(task.get_object(Bucket=SOURCE, Key="parfetch/a")["Body"].read(), b"1234")
        self.assertEqual(task.list_objects_v2(Bucket=SOURCE)["KeyCount"], 1)
        task.put_object(Bucket=results, Key="parfetch/result_run_async_16.csv", Body=b"")
        task.get_object(Bucket=results, Key="parfetch/result_run_async_16.csv")
        upload = task.create_multipart_upload(Bucket=results, Key="parfetch/large.csv")["UploadId"]
        task.abort_multipart_upload(Bucket=results, Key="parfetch/large.csv", UploadId=upload)
        for name, key in ((SOURCE, "parfetch/a"), (SOURCE, "b"), (results, "b"), ("others", "parfetch/a")):
            self.assertTrue(denied(task.put_object, Bucket=name, Key=key, Body=b""), f"{name}/{key}")
            self.assertTrue(denied(task.delete_object, Bucket=name, Key=key), f"{name}/{key}")
            self.assertTrue(denied(task.create_multipart_upload, Bucket=name, Key=key), f"{name}/{key}")
        self.assertTrue(denied(task.get_object, Bucket="others", Key="a"))
        self.assertTrue(denied(task.delete_object, Bucket=results, Key="parfetch/result_run_async_16.csv"))
        self.assertTrue(denied(task.delete_bucket, Bucket=SOURCE))
        self.assertTrue(denied(task.put_bucket_policy, Bucket=SOURCE, Policy="{}"))

    def test_the_local_source_is_filled_and_filled_again(self):
        names = {"BUCKET_NAME": SOURCE, "RESULT_BUCKET_NAME": "results", "OBJECTS": "120", "SIZE_KIB": "1", "AWS_DEFAULT_REGION": "us-east-1"}
        for variable in names:
            self.addCleanup(restore, variable, os.environ.get(variable))
        os.environ.update(names)
        fill = runpy.run_path(str(TEMPLATE.parent / "compose" / "fill.py"))["main"]
        fill()
        s3 = boto3.client("s3")
        self.assertEqual(sorted(one["Name"] for one in s3.list_buckets()["Buckets"]), [SOURCE, "results"])
        s3.put_object(Bucket=SOURCE, Key="00/object-000000", Body=b"short")
        s3.put_object(Bucket=SOURCE, Key="other", Body=b"")
        fill()
        objects = s3.list_objects_v2(Bucket=SOURCE)["Contents"]
        self.assertEqual([one["Size"] for one in objects], [1024] * 120)

    def test_batch_takes_array_jobs(self):
        outputs = self.make(EnableBatch="true", BatchCapacity="FARGATE_SPOT")
        batch = boto3.client("batch")
        self.assertEqual(outputs["JobDefinitionArn"].rsplit("/", 1)[1], NAME)
        (definition,) = batch.describe_job_definitions(jobDefinitionName=NAME)["jobDefinitions"]
        self.assertEqual(definition["retryStrategy"]["attempts"], 3)
        job = batch.submit_job(jobName="shards", jobQueue=outputs["JobQueueArn"], jobDefinition=NAME, arrayProperties={"size": 3})["jobId"]
        deadline = time.monotonic() + PATIENCE
        while (described := batch.describe_jobs(jobs=[job])["jobs"][0])["status"] not in ("SUCCEEDED", "FAILED"):
            self.assertLess(time.monotonic(), deadline, described)
            time.sleep(0.1)
        self.assertEqual(described["arrayProperties"]["statusSummary"]["SUCCEEDED"], 3)


def restore(variable, value):
    os.environ.pop(variable, None)
    if value is not None:
        os.environ[variable] = value


class Ministack(unittest.TestCase):
    """A server on 127.0.0.1. It knows the task definition better than moto, and no Batch in CloudFormation."""

    @classmethod
    def setUpClass(cls):
        cls.server = MinistackServer("cloudformation,ec2,ecr,ecs,iam,logs,s3,sts")
        cls.addClassCleanup(cls.server.end)
        cls.outputs = create(cls.client("cloudformation"), TEMPLATE.read_text(encoding="utf-8"), SourceBucket=SOURCE)

    @classmethod
    def client(cls, service):
        return cls.server.client(service)

    def test_outputs_are_those_that_are_expected(self):
        self.assertEqual(self.outputs.keys(), Stack(SourceBucket=SOURCE).outputs().keys())
        self.assertEqual(self.outputs["Image"], f"{self.outputs['RepositoryUri']}:0.1.0")
        self.assertEqual(len(self.outputs["SubnetIds"].split(",")), 2)

    def test_the_task_definition_is_what_fargate_wants(self):
        task = self.client("ecs").describe_task_definition(taskDefinition=self.outputs["TaskFamily"])["taskDefinition"]
        self.assertEqual((task["networkMode"], task["cpu"], task["memory"]), ("awsvpc", "1024", "2048"))
        self.assertEqual(task["requiresCompatibilities"], ["FARGATE"])
        self.assertEqual(task["taskRoleArn"], self.outputs["TaskRoleArn"])
        (container,) = task["containerDefinitions"]
        self.assertEqual(container["name"], self.outputs["ContainerName"])
        self.assertTrue(container["readonlyRootFilesystem"])
        environment = {one["name"]: one["value"] for one in container["environment"]}
        self.assertEqual(environment["BUCKET_NAME"], SOURCE)
        self.assertEqual(environment["RESULT_BUCKET_NAME"], self.outputs["ResultsBucket"])
        self.assertEqual(environment["PARFETCH_RESULT_PREFIX"], self.outputs["ResultsPrefix"])

    def test_a_task_starts_from_the_outputs_alone_with_a_size_of_its_own(self):
        network = {key: self.outputs[name].split(",") for key, name in (("subnets", "SubnetIds"), ("securityGroups", "SecurityGroupIds"))}
        ecs, out = self.client("ecs"), self.outputs
        container = {"name": out["ContainerName"], "environment": [{"name": "CONCURRENCY", "value": "32"}]}
        answer = ecs.run_task(
            cluster=out["ClusterArn"],
            taskDefinition=out["TaskFamily"],
            launchType="FARGATE",
            networkConfiguration={"awsvpcConfiguration": {**network, "assignPublicIp": out["AssignPublicIp"]}},
            overrides={"cpu": "4096", "memory": "8192", "containerOverrides": [container]},
        )
        self.assertEqual(answer["failures"], [])
        (task,) = answer["tasks"]
        self.assertEqual((task["overrides"]["cpu"], task["overrides"]["memory"]), ("4096", "8192"))
        self.assertEqual(task["taskDefinitionArn"], out["TaskDefinitionRevisionArn"])
        ecs.stop_task(cluster=out["ClusterArn"], task=task["taskArn"])

    def test_the_results_bucket_is_private_and_encrypted(self):
        name, s3 = self.outputs["ResultsBucket"], self.client("s3")
        (rule,) = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
        self.assertEqual(rule["ApplyServerSideEncryptionByDefault"], {"SSEAlgorithm": "AES256"})
        self.assertTrue(all(s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"].values()))
        self.assertEqual(s3.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"]["Rules"], [{"ObjectOwnership": "BucketOwnerEnforced"}])
        self.assertNotEqual(s3.get_bucket_versioning(Bucket=name).get("Status"), "Enabled")

    def test_the_results_bucket_refuses_what_is_not_tls(self):
        policy = json.loads(self.client("s3").get_bucket_policy(Bucket=self.outputs["ResultsBucket"])["Policy"])
        self.assertIn({"Bool": {"aws:SecureTransport": "false"}}, [one["Condition"] for one in policy["Statement"]])

    def test_s3_goes_by_the_gateway_endpoint(self):
        ec2 = self.client("ec2")
        vpc = ec2.describe_subnets(SubnetIds=self.outputs["SubnetIds"].split(","))["Subnets"][0]["VpcId"]
        endpoints = ec2.describe_vpc_endpoints(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["VpcEndpoints"]
        self.assertEqual([one["ServiceName"] for one in endpoints], [f"com.amazonaws.{REGION}.s3"])

    def test_nothing_comes_in(self):
        groups = self.client("ec2").describe_security_groups(GroupIds=[self.outputs["SecurityGroupIds"]])["SecurityGroups"]
        self.assertEqual([one["IpPermissions"] for one in groups], [[]])


if __name__ == "__main__":
    unittest.main()
