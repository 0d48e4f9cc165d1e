"""The Terraform module against the template: the same parameters, resources, conditions and rules, and, where `tofu` or `terraform` is, the same documents.

No provider can be had here, so nothing is planned: documents (policies, containers) are evaluated by themselves, with what resources would say put in.
"""

import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import hcl2

from stack import ACCOUNT, NAME, REGION, Stack, load
from test_policies import SOURCE, WAYS

MODULE = pathlib.Path(__file__).resolve().parent.parent / "terraform"
MAIN = (MODULE / "main.tf").read_text(encoding="utf-8")
# Logical id of the template → address in the module. Terraform attaches an internet gateway with its route table's network, and has no names for the parts
# of a bucket.
ADDRESSES = {
    "Vpc": "aws_vpc.vpc", "InternetGateway": "aws_internet_gateway.gateway", "InternetGatewayAttachment": "aws_internet_gateway.gateway",
    "RouteTable": "aws_route_table.routes", "DefaultRoute": "aws_route.default", "SubnetA": "aws_subnet.a", "SubnetB": "aws_subnet.b", "SubnetC": "aws_subnet.c",
    "SubnetARoutes": "aws_route_table_association.a", "SubnetBRoutes": "aws_route_table_association.b", "SubnetCRoutes": "aws_route_table_association.c",
    "S3Endpoint": "aws_vpc_endpoint.s3", "TaskSecurityGroup": "aws_security_group.task", "ResultsBucket": "aws_s3_bucket.results",
    "ResultsBucketPolicy": "aws_s3_bucket_policy.results", "Repository": "aws_ecr_repository.repository", "LogGroup": "aws_cloudwatch_log_group.log",
    "Cluster": "aws_ecs_cluster.cluster", "TaskDefinition": "aws_ecs_task_definition.task", "TaskRole": "aws_iam_role.task",
    "ExecutionRole": "aws_iam_role.execution", "CallerPolicy": "aws_iam_policy.caller", "ComputeEnvironment": "aws_batch_compute_environment.environment",
    "ContenderDefinition": "aws_ecs_task_definition.contender", "JobQueue": "aws_batch_job_queue.queue", "JobDefinition": "aws_batch_job_definition.job",
}  # fmt: skip
# What the template says within another resource.
PARTS = {
    "aws_s3_bucket_server_side_encryption_configuration.results", "aws_s3_bucket_ownership_controls.results", "aws_s3_bucket_public_access_block.results",
    "aws_s3_bucket_lifecycle_configuration.results", "aws_ecs_cluster_capacity_providers.cluster", "aws_iam_role_policy.task", "aws_iam_role_policy.execution",
}  # fmt: skip
CONDITIONS = {
    None: None, "MakesNetwork": "local.makes_network", "MakesThirdSubnet": "local.makes_third_subnet", "MakesSecurityGroup": "local.makes_security_group",
    "MakesResultsBucket": "local.makes_results_bucket", "MakesRepository": "local.makes_repository", "HasContender": "local.has_contender", "HasBatch": "var.enable_batch",
}  # fmt: skip
DOCUMENT = re.compile(r"^  (policy|assume_role_policy|container_definitions|container_properties) *= (.*?^  \S*\))$", re.MULTILINE | re.DOTALL)


def snake(name):
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower().replace("gi_b", "gib")


def blocks(name, file="main.tf"):
    """(labels joined by dots, content) of the blocks of a kind."""
    parsed = hcl2.loads((MODULE / file).read_text(encoding="utf-8"))
    for one in parsed[name]:
        labels = []
        while not one.get("__is_block__"):
            ((label, one),) = one.items()
            labels.append(label.strip('"'))
        yield ".".join(labels), one


class Module(unittest.TestCase):
    def test_has_the_parameters_of_the_template_with_their_defaults(self):
        variables = dict(blocks("variable", "variables.tf"))
        self.assertEqual(variables.keys(), {"name", *map(snake, load()["Parameters"])})
        for name, declared in load()["Parameters"].items():
            variable = variables[snake(name)]
            self.assertEqual(variable["description"].strip('"').replace('\\"', '"'), declared["Description"], name)
            self.assertEqual("default" in variable, "Default" in declared, name)
            if "Default" in declared:
                default = {"false": False, "[]": []}.get(str(variable["default"]), variable["default"])
                shown = "" if default == [] else str(default).strip('"').lower()
                self.assertEqual(shown, str(declared["Default"]).lower(), name)

    def test_makes_what_the_template_makes_under_the_same_conditions(self):
        resources = dict(blocks("resource"))
        self.assertEqual(ADDRESSES.keys(), load()["Resources"].keys())
        self.assertEqual(resources.keys(), set(ADDRESSES.values()) | PARTS)
        for name, address in ADDRESSES.items():
            count = resources[address].get("count")
            condition = CONDITIONS[load()["Resources"][name].get("Condition")]
            self.assertEqual(count, condition and f"${{{condition} ? 1 : 0}}", name)

    def test_tries_again_what_the_template_tries_again(self):
        (retry,) = dict(blocks("resource"))["aws_batch_job_definition.job"]["retry_strategy"]
        rules = [
            {key: value.strip('"') for key, value in one.items() if key != "__is_block__"} for one in retry["evaluate_on_exit"]
        ]
        properties = Stack(SourceBucket=SOURCE, EnableBatch="true").resources()["JobDefinition"]["Properties"]
        self.assertEqual(rules, [{snake(key): value for key, value in one.items()} for one in properties["RetryStrategy"]["EvaluateOnExit"]])
        self.assertEqual(str(retry["attempts"]), str(properties["RetryStrategy"]["Attempts"]))

    def test_network_lets_nothing_in_and_has_the_same_addresses(self):
        resources = dict(blocks("resource"))
        self.assertNotIn("ingress", resources["aws_security_group.task"])
        (egress,) = resources["aws_security_group.task"]["egress"]
        self.assertEqual((egress["from_port"], egress["to_port"], len(resources["aws_security_group.task"]["egress"])), (443, 443, 1))
        for name in "ABC":
            block = load()["Resources"][f"Subnet{name}"]["Properties"]["CidrBlock"]
            self.assertEqual(resources[f"aws_subnet.{name.lower()}"]["cidr_block"].strip('"'), block)


def lowered(value, keeps=False):
    """CloudFormation's names as those of the APIs, numbers as text, environments in order."""
    if isinstance(value, dict):
        return {key if keeps else key[0].lower() + key[1:]: lowered(one, key.lower() == "options") for key, one in value.items()}
    if isinstance(value, list):
        return sorted((lowered(one) for one in value), key=lambda one: json.dumps(one, sort_keys=True))
    return str(value).lower() if isinstance(value, bool) else str(value)


@unittest.skipUnless(shutil.which("tofu") or shutil.which("terraform"), "there is neither tofu nor terraform")
class Documents(unittest.TestCase):
    maxDiff = None
    program = shutil.which("tofu") or shutil.which("terraform")

    def evaluate(self, stack, parameters):
        """Every document of the module by its address and name."""
        made = stack.resources()
        ids = {address: name for name, address in reversed(ADDRESSES.items())}

        def said(match):
            kind, name, index, attribute = match.groups()
            logical = ids[f"{kind}.{name}"]
            is_made = logical in made
            value = None
            if is_made:
                properties = made[logical].get("Properties", {})
                match attribute:
                    case "arn" if kind == "aws_cloudwatch_log_group":
                        value = stack.do_getatt([logical, "Arn"]).removesuffix(":*")
                    case "arn" if kind == "aws_batch_job_queue":
                        value = stack.do_ref(logical)
                    case "arn":
                        value = stack.do_getatt([logical, "Arn"])
                    case "repository_url":
                        value = stack.do_getatt([logical, "RepositoryUri"])
                    case "name" if kind == "aws_cloudwatch_log_group":
                        value = properties["LogGroupName"]
                    case _:
                        value = stack.do_ref(logical)
            if index == "[*]":
                return json.dumps([value] if is_made else [])
            return json.dumps(value)

        outputs = []
        for block in re.split(r"^(?=resource )", MAIN, flags=re.MULTILINE)[1:]:
            kind, name = re.match(r'resource "(\w+)" "(\w+)"', block).groups()
            is_made = ids.get(f"{kind}.{name}") is None or ids[f"{kind}.{name}"] in made
            outputs += [
                f'output "{kind}-{name}-{document}" {{\n  value = {text}\n}}' for document, text in DOCUMENT.findall(block) if is_made
            ]
        kept = "\n".join(re.findall(r"^locals \{.*?^\}$", MAIN, re.MULTILINE | re.DOTALL) + outputs)
        kept = re.sub(r"\b(aws_\w+)\.(\w+)(\[0\]|\[\*\])?\.(\w+)", said, re.sub(r"data\.aws_caller_identity\.current\.account_id", json.dumps(ACCOUNT), kept)
            .replace("data.aws_partition.current.partition", '"aws"').replace("data.aws_partition.current.dns_suffix", '"amazonaws.com"')
            .replace("data.aws_region.current.name", json.dumps(REGION)))  # fmt: skip
        values = {"name": NAME, "source_bucket": SOURCE}
        for key, value in parameters.items():
            values[snake(key)] = value.split(",") if key in ("SubnetIds", "SecurityGroupIds") else value
        with tempfile.TemporaryDirectory() as folder:
            place = pathlib.Path(folder)
            (place / "main.tf").write_text(kept, encoding="utf-8")
            shutil.copy(MODULE / "variables.tf", place)
            (place / "terraform.tfvars.json").write_text(json.dumps(values), encoding="utf-8")
            for words in (["init", "-no-color"], ["apply", "-no-color", "-auto-approve"]):
                done = subprocess.run([self.program, *words], cwd=place, capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            shown = subprocess.run([self.program, "output", "-json"], cwd=place, capture_output=True, text=True, check=True).stdout
        return {name: json.loads(one["value"]) for name, one in json.loads(shown).items()}

    def test_are_those_of_the_template_under_every_way_of_filling_it_in(self):
        for way, parameters in {**WAYS, "disk": {"EnableBatch": "true", "TaskDiskGiB": "100", "Architecture": "ARM64", "TaskCpu": "4096"}}.items():
            stack = Stack(SourceBucket=SOURCE, **parameters)
            made, found = stack.resources(), self.evaluate(stack, parameters)
            of = lambda name: made[name]["Properties"]  # noqa: E731
            statements = {
                "aws_iam_role-task-assume_role_policy": of("TaskRole")["AssumeRolePolicyDocument"],
                "aws_iam_role-execution-assume_role_policy": of("ExecutionRole")["AssumeRolePolicyDocument"],
                "aws_iam_role_policy-task-policy": of("TaskRole")["Policies"][0]["PolicyDocument"],
                "aws_iam_role_policy-execution-policy": of("ExecutionRole")["Policies"][0]["PolicyDocument"],
                "aws_iam_policy-caller-policy": of("CallerPolicy")["PolicyDocument"],
            }
            if "ResultsBucketPolicy" in made:
                statements["aws_s3_bucket_policy-results-policy"] = of("ResultsBucketPolicy")["PolicyDocument"]
            for name, wanted in statements.items():
                # There is no stack to be read.
                wanted = {**wanted, "Statement": [one for one in wanted["Statement"] if one.get("Sid") != "ReadStack"]}
                self.assertEqual(lowered(found[name]), lowered(wanted), f"[{way}] {name}")
            containers = of("TaskDefinition")["ContainerDefinitions"]
            self.assertEqual(lowered(found["aws_ecs_task_definition-task-container_definitions"]), lowered(containers), way)
            if "ContenderDefinition" in made:
                containers = of("ContenderDefinition")["ContainerDefinitions"]
                self.assertEqual(lowered(found["aws_ecs_task_definition-contender-container_definitions"]), lowered(containers), way)
            if "JobDefinition" in made:
                wanted = of("JobDefinition")["ContainerProperties"]
                self.assertEqual(lowered(found["aws_batch_job_definition-job-container_properties"]), lowered(wanted), way)


if __name__ == "__main__":
    unittest.main()
