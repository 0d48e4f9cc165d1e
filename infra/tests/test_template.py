"""What the template makes, apart from its policies: what cfn-lint finds, what it refuses, sizes, names, and what parfetch reads of it."""

import json
import pathlib
import re
import subprocess
import sys
import tomllib
import unittest

from stack import NAME, TEMPLATE, Stack, load

ROOT = TEMPLATE.parent.parent
SOURCE = {"SourceBucket": "images"}
VPC, SUBNETS = "vpc-0123456789abcdef0", "subnet-0123456789abcdef0,subnet-0123456789abcdef1"
GROUPS = "sg-0123456789abcdef0,sg-0123456789abcdef1"
# The least memory that Fargate has for so many CPU units, from its documentation.
LEAST_MEMORY = {256: 512, 512: 1024, 1024: 2048, 2048: 4096, 4096: 8192, 8192: 16384, 16384: 32768, 32768: 61440}
# What `sweep --on ecs --stack NAME` reads.
OUTPUTS = {
    "Architecture", "AssignPublicIp", "CallerPolicyArn", "ClusterArn", "ContainerName", "Image", "LogGroup", "Region", "RepositoryUri", "ResultsBucket",
    "ResultsPrefix", "SecurityGroupIds", "SourceBucket", "SubnetIds", "TaskDefinitionArn", "TaskDefinitionRevisionArn", "TaskFamily", "TaskRoleArn",
}  # fmt: skip
OUTPUTS_OF_BATCH = {"BatchMaxVcpus", "JobDefinitionArn", "JobQueueArn", "TaskDiskGiB"}


def of_type(stack, kind):
    return {name: one["Properties"] for name, one in stack.resources().items() if one["Type"] == kind}


def container(stack):
    (definition,) = of_type(stack, "AWS::ECS::TaskDefinition").values()
    (one,) = definition["ContainerDefinitions"]
    return one


class Template(unittest.TestCase):
    def test_cfn_lint_finds_nothing_in_any_region(self):
        program = pathlib.Path(sys.executable).with_name("cfn-lint")
        done = subprocess.run([program, "--regions", "ALL_REGIONS", "--", TEMPLATE], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_is_small_enough_to_be_given_without_a_bucket(self):
        self.assertLess(TEMPLATE.stat().st_size, 51_200)

    def test_every_parameter_is_described_labelled_and_grouped(self):
        template = load()
        interface = template["Metadata"]["AWS::CloudFormation::Interface"]
        grouped = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]
        self.assertCountEqual(grouped, template["Parameters"])
        self.assertEqual(interface["ParameterLabels"].keys(), template["Parameters"].keys())
        for name, parameter in template["Parameters"].items():
            self.assertTrue(parameter["Description"], name)
            self.assertTrue({"AllowedPattern", "AllowedValues", "MinValue"} & parameter.keys(), name)
            self.assertEqual("AllowedPattern" in parameter, "ConstraintDescription" in parameter, name)

    def test_every_sid_is_one(self):
        self.assertEqual([], [one for one in re.findall(r"Sid: (.*)", TEMPLATE.read_text(encoding="utf-8")) if not one.isalnum()])

    def test_the_default_image_is_this_version(self):
        version = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))["workspace"]["package"]["version"]
        self.assertTrue(Stack(**SOURCE).outputs()["Image"].endswith(f":{version}"))


class Refusals(unittest.TestCase):
    def test_results_in_the_source_bucket(self):
        self.assertEqual(len(Stack(**SOURCE, ExistingResultsBucket="images").refusals()), 1)
        self.assertEqual(Stack(**SOURCE, ExistingResultsBucket="images-results").refusals(), [])

    def test_half_a_network(self):
        self.assertEqual(Stack(**SOURCE, VpcId=VPC).refusals(), ["an existing VPC needs SubnetIds as well"])
        self.assertEqual(Stack(**SOURCE, SubnetIds=SUBNETS).refusals(), ["existing subnets need their VpcId as well"])
        self.assertEqual(Stack(**SOURCE, VpcId=VPC, SubnetIds=SUBNETS).refusals(), [])

    def test_security_groups_without_their_network(self):
        self.assertEqual(Stack(**SOURCE, SecurityGroupIds=GROUPS).refusals(), ["existing security groups need their VpcId as well"])
        self.assertEqual(Stack(**SOURCE, VpcId=VPC, SubnetIds=SUBNETS, SecurityGroupIds=GROUPS).refusals(), [])

    def test_names_that_are_none(self):
        for parameters in (
            {"SourceBucket": "arn:aws:s3:::images"},
            {"SourceBucket": "s3://images"},
            {"SourceBucket": ""},
            {"SourceBucket": "images*"},
            {**SOURCE, "SourcePrefix": "a*"},
            {**SOURCE, "SourcePrefix": "${aws:username}"},
            {**SOURCE, "ExistingResultsBucket": "Results"},
            {**SOURCE, "SourceKmsKeyArn": "alias/mine"},
            {**SOURCE, "TaskCpu": "3072"},
            {**SOURCE, "VpcId": "default"},
            {**SOURCE, "SubnetIds": f"{SUBNETS},x"},
            {**SOURCE, "SecurityGroupIds": f"{GROUPS},x"},
            {**SOURCE, "KeyLists": "inventories"},
            {**SOURCE, "KeyLists": "inventories/*"},
            {**SOURCE, "ZoneC": "c, d"},
            {**SOURCE, "ContenderImage": "Study Image"},
        ):
            with self.assertRaises(ValueError, msg=parameters):
                Stack(**parameters)


class Network(unittest.TestCase):
    def test_of_its_own_goes_to_s3_without_nat(self):
        stack = Stack(**SOURCE)
        kinds = {one["Type"] for one in stack.resources().values()}
        self.assertNotIn("AWS::EC2::NatGateway", kinds)
        (endpoint,) = of_type(stack, "AWS::EC2::VPCEndpoint").values()
        self.assertEqual(endpoint["VpcEndpointType"], "Gateway")
        (table,) = endpoint["RouteTableIds"]
        associations = of_type(stack, "AWS::EC2::SubnetRouteTableAssociation").values()
        self.assertEqual({one["RouteTableId"] for one in associations}, {table})
        self.assertCountEqual([one["SubnetId"] for one in associations], stack.outputs()["SubnetIds"].split(","))
        self.assertEqual(stack.outputs()["AssignPublicIp"], "ENABLED")

    def test_of_yours_is_left_as_it_is(self):
        stack = Stack(**SOURCE, VpcId=VPC, SubnetIds=SUBNETS)
        made = [one["Type"] for one in stack.resources().values() if one["Type"].startswith("AWS::EC2::")]
        self.assertEqual(made, ["AWS::EC2::SecurityGroup"])
        self.assertEqual(of_type(stack, "AWS::EC2::SecurityGroup")["TaskSecurityGroup"]["VpcId"], VPC)
        self.assertEqual(stack.outputs()["SubnetIds"], SUBNETS)
        self.assertEqual(stack.outputs()["AssignPublicIp"], "DISABLED")

    def test_has_the_zones_that_are_asked_for(self):
        stack = Stack(**SOURCE, ZoneA="eu-central-1c", ZoneC="eu-central-1a", EnableBatch="true")
        zones = [one["AvailabilityZone"] for one in of_type(stack, "AWS::EC2::Subnet").values()]
        self.assertEqual(zones, ["eu-central-1c", "eu-central-1b", "eu-central-1a"])
        blocks = {one["CidrBlock"] for one in of_type(stack, "AWS::EC2::Subnet").values()}
        self.assertEqual(len(blocks), 3)
        subnets = stack.outputs()["SubnetIds"].split(",")
        self.assertEqual([one["SubnetId"] for one in of_type(stack, "AWS::EC2::SubnetRouteTableAssociation").values()], subnets)
        (environment,) = of_type(stack, "AWS::Batch::ComputeEnvironment").values()
        self.assertEqual(environment["ComputeResources"]["Subnets"], subnets)
        self.assertEqual(len(of_type(Stack(**SOURCE), "AWS::EC2::Subnet")), 2)

    def test_security_groups_of_yours_are_taken(self):
        stack = Stack(**SOURCE, VpcId=VPC, SubnetIds=SUBNETS, SecurityGroupIds=GROUPS, EnableBatch="true")
        self.assertEqual(of_type(stack, "AWS::EC2::SecurityGroup"), {})
        self.assertEqual(stack.outputs()["SecurityGroupIds"], GROUPS)
        (environment,) = of_type(stack, "AWS::Batch::ComputeEnvironment").values()
        self.assertEqual(environment["ComputeResources"]["SecurityGroupIds"], GROUPS.split(","))

    def test_lets_nothing_in_and_https_out(self):
        (group,) = of_type(Stack(**SOURCE), "AWS::EC2::SecurityGroup").values()
        self.assertNotIn("SecurityGroupIngress", group)
        (rule,) = group["SecurityGroupEgress"]
        self.assertEqual((rule["IpProtocol"], rule["FromPort"], rule["ToPort"]), ("tcp", 443, 443))
        self.assertNotIn("AWS::EC2::SecurityGroupIngress", {one["Type"] for one in load()["Resources"].values()})


class Results(unittest.TestCase):
    def test_bucket_is_private_encrypted_unversioned_and_stays(self):
        resource = load()["Resources"]["ResultsBucket"]
        self.assertEqual((resource["DeletionPolicy"], resource["UpdateReplacePolicy"]), ("RetainExceptOnCreate", "Retain"))
        (bucket,) = of_type(Stack(**SOURCE), "AWS::S3::Bucket").values()
        self.assertNotIn("VersioningConfiguration", bucket)
        self.assertNotIn("BucketName", bucket)
        self.assertEqual(list(bucket["PublicAccessBlockConfiguration"].values()), [True] * 4)
        self.assertEqual(bucket["OwnershipControls"], {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]})
        (rule,) = bucket["LifecycleConfiguration"]["Rules"]
        self.assertEqual(rule["AbortIncompleteMultipartUpload"], {"DaysAfterInitiation": 1})
        (encryption,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        self.assertEqual(encryption, {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}})

    def test_expire_when_told_to_below_their_prefix(self):
        (bucket,) = of_type(Stack(**SOURCE, ResultsExpireDays="90"), "AWS::S3::Bucket").values()
        _, rule = bucket["LifecycleConfiguration"]["Rules"]
        self.assertEqual((rule["Prefix"], rule["ExpirationInDays"]), ("parfetch/", "90"))

    def test_a_bucket_of_yours_is_left_as_it_is(self):
        stack = Stack(**SOURCE, ExistingResultsBucket="mine")
        self.assertEqual([one for one in stack.resources().values() if one["Type"].startswith("AWS::S3::")], [])
        self.assertEqual(stack.outputs()["ResultsBucket"], "mine")


class Task(unittest.TestCase):
    def test_every_size_is_one_that_fargate_has(self):
        sizes = load()["Parameters"]["TaskCpu"]["AllowedValues"]
        self.assertEqual([int(one) for one in sizes], list(LEAST_MEMORY))
        for cpu in sizes:
            stack = Stack(**SOURCE, TaskCpu=cpu, EnableBatch="true")
            (definition,) = of_type(stack, "AWS::ECS::TaskDefinition").values()
            self.assertEqual((definition["Cpu"], definition["Memory"]), (cpu, str(LEAST_MEMORY[int(cpu)])))
            (job,) = of_type(stack, "AWS::Batch::JobDefinition").values()
            required = {one["Type"]: one["Value"] for one in job["ContainerProperties"]["ResourceRequirements"]}
            self.assertEqual((float(required["VCPU"]) * 1024, required["MEMORY"]), (float(cpu), definition["Memory"]))

    def test_the_container_has_no_size_of_its_own(self):
        self.assertEqual({"Cpu", "Memory", "MemoryReservation"} & container(Stack(**SOURCE)).keys(), set())

    def test_has_the_disk_that_is_asked_for(self):
        for disk, wanted in (("20", None), ("100", {"SizeInGiB": "100"})):
            stack = Stack(**SOURCE, TaskDiskGiB=disk, EnableBatch="true")
            (definition,) = of_type(stack, "AWS::ECS::TaskDefinition").values()
            (job,) = of_type(stack, "AWS::Batch::JobDefinition").values()
            self.assertEqual([one.get("EphemeralStorage") for one in (definition, job["ContainerProperties"])], [wanted] * 2)

    def test_is_confined_and_has_time_to_store(self):
        one = container(Stack(**SOURCE))
        self.assertEqual((one["User"], one["ReadonlyRootFilesystem"], one["StopTimeout"]), ("65532:65532", True, 120))
        self.assertEqual(one["Ulimits"], [{"Name": "nofile", "SoftLimit": 65535, "HardLimit": 65535}])
        self.assertEqual(one["LinuxParameters"], {"Capabilities": {"Drop": ["ALL"]}})

    def test_is_named_after_the_stack_so_that_two_stacks_do_not_meet(self):
        stack = Stack(**SOURCE, EnableBatch="true")
        (definition,) = of_type(stack, "AWS::ECS::TaskDefinition").values()
        (cluster,) = of_type(stack, "AWS::ECS::Cluster").values()
        (group,) = of_type(stack, "AWS::Logs::LogGroup").values()
        self.assertEqual((definition["Family"], cluster["ClusterName"], group["LogGroupName"]), (NAME, NAME, f"/parfetch/{NAME}"))

    def test_every_variable_is_a_setting(self):
        settings = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
        stack = Stack(**SOURCE, SourcePrefix="2026/", EnableBatch="true")
        (job,) = of_type(stack, "AWS::Batch::JobDefinition").values()
        self.assertEqual(container(stack)["Environment"], job["ContainerProperties"]["Environment"])
        for one in container(stack)["Environment"]:
            self.assertIn(f"`{one['Name']}`", settings)
        # Batch may leave out a variable that is empty.
        self.assertEqual([one for one in container(Stack(**SOURCE))["Environment"] if not one["Value"]], [])
        values = {one["Name"]: one["Value"] for one in container(stack)["Environment"]}
        self.assertEqual((values["PARFETCH_PREFIX"], values["PARFETCH_RESULT_PREFIX"]), ("2026/", stack.outputs()["ResultsPrefix"]))

    def test_logs_into_the_group_and_does_not_wait_for_it(self):
        stack = Stack(**SOURCE)
        log = container(stack)["LogConfiguration"]
        self.assertEqual(log["LogDriver"], "awslogs")
        self.assertEqual((log["Options"]["awslogs-group"], log["Options"]["mode"]), (stack.outputs()["LogGroup"], "non-blocking"))


class Contender(unittest.TestCase):
    def definitions(self):
        stack = Stack(**SOURCE, ContenderImage="example/fetch-study:1")
        return stack, [stack.resources()[name]["Properties"] for name in ("TaskDefinition", "ContenderDefinition")]

    def test_is_made_when_asked_for_alone(self):
        self.assertEqual(len(of_type(Stack(**SOURCE), "AWS::ECS::TaskDefinition")), 1)
        stack, (_, contender) = self.definitions()
        self.assertEqual((contender["Family"], stack.outputs()["ContenderFamily"]), (f"{NAME}-contender",) * 2)
        (one,) = contender["ContainerDefinitions"]
        self.assertEqual((one["Name"], one["Image"]), ("app", "example/fetch-study:1"))

    def test_is_what_a_sweep_takes(self):
        """Nothing that a sweep refuses: no size of the container, no secrets, Fargate, the architecture of parfetch's own tasks."""
        _, (own, contender) = self.definitions()
        for name in ("RequiresCompatibilities", "NetworkMode", "RuntimePlatform", "Cpu", "Memory", "TaskRoleArn", "ExecutionRoleArn"):
            self.assertEqual(contender[name], own[name])
        (one,) = contender["ContainerDefinitions"]
        self.assertEqual({"Cpu", "Memory", "MemoryReservation", "Secrets"} & one.keys(), set())
        self.assertEqual(one["LogConfiguration"]["LogDriver"], "awslogs")


class Batch(unittest.TestCase):
    def test_is_made_when_asked_for_alone(self):
        self.assertEqual([one for one in Stack(**SOURCE).resources().values() if one["Type"].startswith("AWS::Batch::")], [])
        kinds = {one["Type"] for one in Stack(**SOURCE, EnableBatch="true").resources().values() if one["Type"].startswith("AWS::Batch::")}
        self.assertEqual(kinds, {"AWS::Batch::ComputeEnvironment", "AWS::Batch::JobQueue", "AWS::Batch::JobDefinition"})

    def test_leaves_out_what_fargate_does_not_take(self):
        (job,) = of_type(Stack(**SOURCE, EnableBatch="true"), "AWS::Batch::JobDefinition").values()
        properties = job["ContainerProperties"]
        self.assertEqual({"Ulimits", "Volumes", "MountPoints", "Vcpus", "Memory", "InstanceType", "Privileged"} & properties.keys(), set())
        self.assertEqual(job["PlatformCapabilities"], ["FARGATE"])
        self.assertEqual([one["Name"] for one in properties["Environment"] if one["Name"].startswith("AWS_BATCH")], [])

    def test_tries_again_what_the_host_broke_and_nothing_else(self):
        (job,) = of_type(Stack(**SOURCE, EnableBatch="true"), "AWS::Batch::JobDefinition").values()
        rules = job["RetryStrategy"]["EvaluateOnExit"]
        self.assertLessEqual(len(rules), 5)

        def ends(**what):
            """The action of the first rule whose conditions all match; without one a job is tried again."""
            for rule in rules:
                tests = {key: pattern for key, pattern in rule.items() if key != "Action"}
                if all(key in what and (what[key].startswith(one[:-1]) if one.endswith("*") else what[key] == one) for key, one in tests.items()):
                    return rule["Action"]
            return "RETRY"

        self.assertEqual(ends(OnStatusReason="Your Spot Task was interrupted.", OnExitCode="143"), "RETRY")
        self.assertEqual(ends(OnStatusReason="Task failed to start", OnReason="Timeout waiting for network interface provisioning"), "RETRY")
        self.assertEqual(ends(OnStatusReason="Task failed to start", OnReason="CannotPullContainerError: not found"), "EXIT")
        self.assertEqual(ends(OnStatusReason="Essential container in task exited", OnExitCode="143"), "RETRY")
        for code in (1, 2, 3, 4, 5, 137):
            self.assertEqual(ends(OnStatusReason="Essential container in task exited", OnExitCode=str(code)), "EXIT", code)
        self.assertEqual(ends(OnStatusReason="Essential container in task exited", OnReason="OutOfMemoryError"), "EXIT")


class Outputs(unittest.TestCase):
    def test_are_those_that_parfetch_reads(self):
        self.assertEqual(Stack(**SOURCE).outputs().keys(), OUTPUTS)
        self.assertEqual(Stack(**SOURCE, EnableBatch="true").outputs().keys(), OUTPUTS | OUTPUTS_OF_BATCH)
        self.assertEqual(Stack(**SOURCE, SourcePrefix="a/").outputs().keys(), OUTPUTS | {"SourcePrefix"})
        self.assertEqual(Stack(**SOURCE, ContenderImage="example/app:1").outputs().keys(), OUTPUTS | {"ContenderFamily"})
        self.assertEqual(Stack(**SOURCE, Image="example/parfetch:1").outputs().keys(), OUTPUTS - {"RepositoryUri"})

    def test_are_all_named_in_the_readme(self):
        text = (TEMPLATE.parent / "README.md").read_text(encoding="utf-8")
        self.assertEqual([name for name in load()["Outputs"] if f"`{name}`" not in text], [])

    def test_name_the_definitions_without_a_revision(self):
        outputs = Stack(**SOURCE, EnableBatch="true").outputs()
        for name in ("TaskDefinitionArn", "JobDefinitionArn"):
            self.assertRegex(outputs[name], rf"/{NAME}$")
        self.assertEqual(outputs["TaskDefinitionRevisionArn"].rsplit(":", 1)[0], outputs["TaskDefinitionArn"])
        self.assertTrue(json.dumps(outputs))


if __name__ == "__main__":
    unittest.main()
