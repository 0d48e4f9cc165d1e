"""What the roles may do, and what they must not, under every way of filling the template in."""

import json
import pathlib
import re
import unittest

from policy import allowed, many
from stack import ACCOUNT, NAME, NO_VALUE, REGION, TEMPLATE, Stack

SOURCE = "images"
OWN = "my-results"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
OTHER_KEY = KEY.replace("1234abcd", "00000000")
BY_S3 = {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}
NETWORK = {"VpcId": "vpc-0123456789abcdef0", "SubnetIds": "subnet-0123456789abcdef0,subnet-0123456789abcdef1"}
WAYS = {
    "as it comes": {},
    "a prefix": {"SourcePrefix": "2026/"},
    "own results bucket": {"ExistingResultsBucket": OWN},
    "keys": {"SourceKmsKeyArn": KEY, "ResultsKmsKeyArn": OTHER_KEY},
    "own network and image": {**NETWORK, "Image": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/tools/parfetch:0.1.0"},
    "batch": {"EnableBatch": "true", "BatchCapacity": "FARGATE_SPOT"},
    "key lists": {"KeyLists": "inventories/images/"},
    "a contender": {"ContenderImage": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/fetch-study:1"},
}
# Everything that changes a bucket or what is in it, as far as S3 has names for it.
WRITES = [
    "AbortMultipartUpload", "BypassGovernanceRetention", "CreateBucket", "DeleteBucket", "DeleteBucketPolicy", "DeleteObject", "DeleteObjectTagging",
    "DeleteObjectVersion", "ObjectOwnerOverrideToBucketOwner", "PutBucketAcl", "PutBucketLogging", "PutBucketNotification", "PutBucketPolicy",
    "PutBucketTagging", "PutBucketVersioning", "PutEncryptionConfiguration", "PutInventoryConfiguration", "PutLifecycleConfiguration", "PutObject",
    "PutObjectAcl", "PutObjectLegalHold", "PutObjectRetention", "PutObjectTagging", "PutObjectVersionAcl", "PutReplicationConfiguration",
    "ReplicateDelete", "ReplicateObject", "RestoreObject",
]  # fmt: skip
REQUESTS = pathlib.Path(__file__).with_name("requests.json")
# What is given and was not recorded: for people who look at logs and jobs themselves, for large uploads, for what a signal does, and for a request
# to submit that was not answered.
NEVER_RECORDED = {
    "batch:CancelJob", "batch:ListJobs", "batch:TerminateJob", "logs:FilterLogEvents", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts",
}  # fmt: skip
RESULTS_ACTIONS = ["s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]


def bucket(name):
    return f"arn:aws:s3:::{name}"


def thing(name, key):
    return f"arn:aws:s3:::{name}/{key}"


def task_policy(stack):
    return [one for policy in stack.resources()["TaskRole"]["Properties"]["Policies"] for one in policy["PolicyDocument"]["Statement"]]


def caller_policy(stack):
    return stack.resources()["CallerPolicy"]["Properties"]["PolicyDocument"]["Statement"]


class EveryWay(unittest.TestCase):
    way = None

    def each(self):
        for self.way, parameters in WAYS.items():
            stack = Stack(SourceBucket=SOURCE, **parameters)
            self.assertEqual(stack.refusals(), [])
            yield stack, parameters
        self.way = None

    def _formatMessage(self, msg, standardMsg):  # noqa: N802, N803 (unittest's names)
        return f"[{self.way}] {super()._formatMessage(msg, standardMsg)}"


class TheTask(EveryWay):
    def test_lists_and_reads_the_source(self):
        for stack, parameters in self.each():
            task, prefix = task_policy(stack), parameters.get("SourcePrefix", "")
            self.assertTrue(allowed(task, "s3:ListBucket", bucket(SOURCE), {"s3:prefix": prefix} if prefix else {}))
            self.assertTrue(allowed(task, "s3:GetObject", thing(SOURCE, f"{prefix}a/b c.jpg")))

    def test_reads_nothing_of_the_source_beside_the_prefix(self):
        task = task_policy(Stack(SourceBucket=SOURCE, **WAYS["a prefix"]))
        for context in ({}, {"s3:prefix": ""}, {"s3:prefix": "2025/"}):
            self.assertFalse(allowed(task, "s3:ListBucket", bucket(SOURCE), context))
        self.assertTrue(allowed(task, "s3:ListBucket", bucket(SOURCE), {"s3:prefix": "2026/07/"}))
        self.assertFalse(allowed(task, "s3:GetObject", thing(SOURCE, "2025/a")))

    def test_never_writes_to_the_source(self):
        for stack, _ in self.each():
            for write in WRITES:
                for where in (bucket(SOURCE), thing(SOURCE, "a"), thing(SOURCE, "2026/a"), thing(SOURCE, "parfetch/a")):
                    self.assertFalse(allowed(task_policy(stack), f"s3:{write}", where), f"{write} on {where}")

    def test_is_not_given_what_it_is_denied(self):
        for stack, _ in self.each():
            given = [one for one in task_policy(stack) if one["Effect"] == "Allow"]
            for write in WRITES:
                for where in (bucket(SOURCE), thing(SOURCE, "2026/a"), thing(SOURCE, "parfetch/a")):
                    self.assertFalse(allowed(given, f"s3:{write}", where), f"{write} on {where}")

    def test_never_writes_to_the_source_whatever_else_is_attached(self):
        everything = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
        for stack, _ in self.each():
            for write in WRITES:
                for where in (bucket(SOURCE), thing(SOURCE, "parfetch/a")):
                    self.assertFalse(allowed(task_policy(stack) + everything, f"s3:{write}", where), f"{write} on {where}")

    def test_never_writes_to_a_source_that_is_the_results_bucket_too(self):
        stack = Stack(SourceBucket=SOURCE, ExistingResultsBucket=SOURCE)
        self.assertIn("results cannot go to the source bucket, which is only read; name another ExistingResultsBucket or leave it empty", stack.refusals())
        for write in WRITES:
            self.assertFalse(allowed(task_policy(stack), f"s3:{write}", thing(SOURCE, "parfetch/a")), write)
        self.assertTrue(allowed(task_policy(stack), "s3:GetObject", thing(SOURCE, "parfetch/a")))

    def test_keeps_results_below_their_prefix_and_nowhere_else(self):
        for stack, _ in self.each():
            task, results = task_policy(stack), stack.outputs()["ResultsBucket"]
            self.assertNotEqual(results, SOURCE)
            for action in RESULTS_ACTIONS:
                self.assertTrue(allowed(task, action, thing(results, "parfetch/result_run_async_16.csv")), action)
                for where in (thing(results, "other/a"), thing(results, "parfetch"), thing(results, "a"), thing(f"{results}2", "parfetch/a")):
                    self.assertFalse(allowed(task, action, where), f"{action} on {where}")
            self.assertTrue(allowed(task, "s3:ListBucket", bucket(results), {"s3:prefix": "parfetch/sweeps/"}))
            self.assertFalse(allowed(task, "s3:ListBucket", bucket(results), {"s3:prefix": ""}))
            self.assertFalse(allowed(task, "s3:ListBucket", bucket(results)))
            for action in ("s3:DeleteObject", "s3:PutObjectAcl", "s3:PutBucketPolicy", "s3:PutLifecycleConfiguration"):
                self.assertFalse(allowed(task, action, thing(results, "parfetch/a")), action)
                self.assertFalse(allowed(task, action, bucket(results)), action)

    def test_stores_the_csv_of_a_contender_where_there_is_one(self):
        for stack, parameters in self.each():
            task, caller, results = task_policy(stack), caller_policy(stack), stack.outputs()["ResultsBucket"]
            has = "ContenderImage" in parameters
            csv = thing(results, "result_s-00001-a1_thread_4.csv")
            self.assertEqual(allowed(task, "s3:PutObject", csv), has)
            self.assertEqual(allowed(caller, "s3:GetObject", csv), has)
            for action in ("s3:GetObject", "s3:DeleteObject"):
                self.assertFalse(allowed(task, action, csv))
            self.assertFalse(allowed(caller, "s3:PutObject", csv))
            self.assertFalse(allowed(task, "s3:PutObject", thing(results, "other.csv")))

    def test_reads_key_lists_where_they_are_and_nothing_else_there(self):
        for stack, parameters in self.each():
            for policy in (task_policy(stack), caller_policy(stack)):
                has = "KeyLists" in parameters
                self.assertEqual(allowed(policy, "s3:GetObject", thing("inventories", "images/2026/keys.tsv")), has)
                self.assertFalse(allowed(policy, "s3:GetObject", thing("inventories", "other")))
                self.assertFalse(allowed(policy, "s3:PutObject", thing("inventories", "images/2026/keys.tsv")))

    def test_has_no_right_outside_s3_and_its_keys(self):
        for stack, parameters in self.each():
            for statement in task_policy(stack):
                if statement["Effect"] == "Allow":
                    actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
                    self.assertTrue(all(one.startswith(("s3:", "kms:")) and "*" not in one for one in actions), actions)
                    self.assertNotEqual(statement["Resource"], "*")
            self.assertEqual(any("kms:" in json.dumps(one) for one in task_policy(stack)), "SourceKmsKeyArn" in parameters)

    def test_uses_its_keys_through_s3_alone(self):
        task = task_policy(Stack(SourceBucket=SOURCE, **WAYS["keys"]))
        self.assertTrue(allowed(task, "kms:Decrypt", KEY, BY_S3))
        self.assertFalse(allowed(task, "kms:Decrypt", KEY))
        self.assertFalse(allowed(task, "kms:Decrypt", KEY, {"kms:ViaService": f"ebs.{REGION}.amazonaws.com"}))
        self.assertFalse(allowed(task, "kms:GenerateDataKey", KEY, BY_S3))
        self.assertTrue(allowed(task, "kms:GenerateDataKey", OTHER_KEY, BY_S3))
        self.assertTrue(allowed(task, "kms:Decrypt", OTHER_KEY, BY_S3))

    def test_is_run_by_ecs_of_this_account_alone(self):
        trust = Stack(SourceBucket=SOURCE).resources()["TaskRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        (statement,) = trust
        self.assertEqual(statement["Principal"], {"Service": "ecs-tasks.amazonaws.com"})
        here = {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/x/y"}
        assume = [{**statement, "Resource": "*"}]
        self.assertTrue(allowed(assume, "sts:AssumeRole", "role", here))
        self.assertFalse(allowed(assume, "sts:AssumeRole", "role", {**here, "aws:SourceAccount": "210987654321"}))
        self.assertFalse(allowed(assume, "sts:AssumeRole", "role", {"aws:SourceAccount": ACCOUNT}))


class TheCaller(EveryWay):
    cluster = f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/{NAME}"
    other_cluster = f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/production"

    def test_runs_this_family_in_this_cluster(self):
        for stack, parameters in self.each():
            caller = caller_policy(stack)
            definition = f"{stack.outputs()['TaskDefinitionArn']}:7"
            self.assertTrue(allowed(caller, "ecs:RunTask", definition, {"ecs:cluster": self.cluster}))
            self.assertFalse(allowed(caller, "ecs:RunTask", definition, {"ecs:cluster": self.other_cluster}))
            self.assertFalse(allowed(caller, "ecs:RunTask", definition.replace(f"/{NAME}:", "/payments:"), {"ecs:cluster": self.cluster}))
            contender = definition.replace(f"/{NAME}:", f"/{NAME}-contender:")
            self.assertEqual(allowed(caller, "ecs:RunTask", contender, {"ecs:cluster": self.cluster}), "ContenderImage" in parameters)
            self.assertFalse(allowed(caller, "ecs:RegisterTaskDefinition", "*"))

    def test_watches_stops_and_tags_tasks_of_this_cluster(self):
        task = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/{NAME}/0123456789abcdef0123456789abcdef"
        other = task.replace(f"task/{NAME}/", "task/production/")
        for stack, _ in self.each():
            caller = caller_policy(stack)
            for action, context in (("ecs:DescribeTasks", {}), ("ecs:StopTask", {}), ("ecs:TagResource", {"ecs:CreateAction": "RunTask"})):
                self.assertTrue(allowed(caller, action, task, context), action)
                self.assertFalse(allowed(caller, action, other, context), action)
            self.assertFalse(allowed(caller, "ecs:TagResource", task))
            self.assertTrue(allowed(caller, "ecs:ListTasks", "*", {"ecs:cluster": self.cluster}))
            self.assertFalse(allowed(caller, "ecs:ListTasks", "*", {"ecs:cluster": self.other_cluster}))

    def test_passes_the_two_roles_to_tasks_and_no_other(self):
        tasks, lambdas = {"iam:PassedToService": "ecs-tasks.amazonaws.com"}, {"iam:PassedToService": "lambda.amazonaws.com"}
        for stack, _ in self.each():
            caller = caller_policy(stack)
            for role in ("TaskRole", "ExecutionRole"):
                arn = f"arn:aws:iam::{ACCOUNT}:role/{NAME}-{role}"
                self.assertTrue(allowed(caller, "iam:PassRole", arn, tasks))
                self.assertFalse(allowed(caller, "iam:PassRole", arn, lambdas))
                self.assertFalse(allowed(caller, "iam:PassRole", arn))
            self.assertFalse(allowed(caller, "iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/Admin", tasks))

    def test_reads_stack_quota_log_and_results(self):
        for stack, _ in self.each():
            caller, results = caller_policy(stack), stack.outputs()["ResultsBucket"]
            here = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/"
            self.assertTrue(allowed(caller, "cloudformation:DescribeStacks", f"{here}{NAME}/0"))
            self.assertFalse(allowed(caller, "cloudformation:DescribeStacks", f"{here}{NAME}-2/0"))
            self.assertFalse(allowed(caller, "cloudformation:UpdateStack", f"{here}{NAME}/0"))
            quota = f"arn:aws:servicequotas:{REGION}:{ACCOUNT}:"
            self.assertTrue(allowed(caller, "servicequotas:GetServiceQuota", f"{quota}fargate/L-3032A538"))
            self.assertFalse(allowed(caller, "servicequotas:GetServiceQuota", f"{quota}ec2/L-3032A538"))
            log = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/parfetch/{NAME}"
            self.assertTrue(allowed(caller, "logs:FilterLogEvents", f"{log}:*"))
            self.assertTrue(allowed(caller, "logs:GetLogEvents", f"{log}:log-stream:task/parfetch/0"))
            self.assertFalse(allowed(caller, "logs:GetLogEvents", f"{log}-2:log-stream:task/parfetch/0"))
            for action in RESULTS_ACTIONS:
                self.assertTrue(allowed(caller, action, thing(results, "parfetch/sweeps/x/keys.tsv")))
                self.assertFalse(allowed(caller, action, thing(results, "x")))
                self.assertFalse(allowed(caller, action, thing(SOURCE, "parfetch/x")), action)

    def test_cannot_write_to_the_source(self):
        for stack, _ in self.each():
            for write in WRITES:
                self.assertFalse(allowed(caller_policy(stack), f"s3:{write}", thing(SOURCE, "parfetch/a")), write)

    def test_may_do_what_the_program_calls(self):
        """Each call of src/cloud names its permission, and parfetch's own tests check that no other is made."""
        sources = (TEMPLATE.parents[1] / "src" / "cloud").glob("*.rs")
        called = {one for source in sources for one in re.findall(r'"([a-z]+:[A-Z]\w+)"', source.read_text(encoding="utf-8"))}
        self.assertGreater(len(called), 10)
        statements = caller_policy(Stack(SourceBucket=SOURCE, EnableBatch="true"))
        given = {one for statement in statements for one in many(statement["Action"])}
        # Anybody may ask who they are.
        self.assertEqual(called - given, {"sts:GetCallerIdentity"})

    def test_may_do_what_it_was_seen_to_ask(self):
        """parfetch's own tests record what sweep, tune, submit, report and doctor ask for, in requests.json: whoever starts tasks, and the tasks."""
        recorded = json.loads(REQUESTS.read_text(encoding="utf-8"))
        image = WAYS["a contender"]["ContenderImage"]
        stack = Stack(SourceBucket="source", ExistingResultsBucket="results", EnableBatch="true", ContenderImage=image)
        policies = {"caller": caller_policy(stack), "task": task_policy(stack)}
        refused = set()
        for one in recorded:
            resource, context = (json.loads(json.dumps(one[name]).replace("us-east-1", REGION)) for name in ("resource", "context"))
            if not allowed(policies[one["by"]], one["action"], resource, context):
                refused.add((one["by"], one["action"], resource))
        # doctor tries to read an object. With --stack a refusal is good, as only tasks need to: tests/integration/doctor.rs.
        self.assertEqual(refused, {("caller", "s3:GetObject", "arn:aws:s3:::source/KEY")})
        self.assertGreater(len(recorded), 20)
        # Nobody may do what is never asked for.
        given = {action for statement in policies["caller"] for action in many(statement["Action"])}
        asked = {one["action"] for one in recorded if one["by"] == "caller"}
        self.assertEqual(given - asked, NEVER_RECORDED)

    def test_removes_what_doctor_stored_and_nothing_else(self):
        for stack, _ in self.each():
            caller, results = caller_policy(stack), stack.outputs()["ResultsBucket"]
            for name in ("parfetch/parfetch-doctor-0.json", "parfetch/tests/parfetch-doctor-0.json"):
                self.assertTrue(allowed(caller, "s3:DeleteObject", thing(results, name)), name)
                self.assertFalse(allowed(task_policy(stack), "s3:DeleteObject", thing(results, name)), name)
            for name in ("parfetch/result_a.csv", "parfetch/sweeps/a/keys.tsv", "parfetch-doctor-0.json"):
                self.assertFalse(allowed(caller, "s3:DeleteObject", thing(results, name)), name)

    def test_submits_jobs_where_there_is_batch_alone(self):
        arn = f"arn:aws:batch:{REGION}:{ACCOUNT}:"
        for stack, parameters in self.each():
            caller, batch = caller_policy(stack), "EnableBatch" in parameters
            for resource in (f"{arn}job-queue/{NAME}", f"{arn}job-definition/{NAME}", f"{arn}job-definition/{NAME}:3", f"{arn}job/0"):
                self.assertEqual(allowed(caller, "batch:SubmitJob", resource), batch)
            self.assertEqual(allowed(caller, "batch:DescribeJobs", "*"), batch)
            self.assertEqual(allowed(caller, "batch:TerminateJob", f"{arn}job/0"), batch)
            self.assertFalse(allowed(caller, "batch:SubmitJob", f"{arn}job-queue/production"))
            self.assertFalse(allowed(caller, "batch:RegisterJobDefinition", "*"))

    def test_fits_into_a_managed_policy(self):
        stack = Stack(SourceBucket="s" * 63, ExistingResultsBucket="r" * 63, EnableBatch="true", SourceKmsKeyArn=KEY, ResultsKmsKeyArn=KEY, ContenderImage="app:1")
        size = len(json.dumps(stack.resources()["CallerPolicy"]["Properties"]["PolicyDocument"], separators=(",", ":")))
        self.assertLess(size, 6144)


class TheExecutionRole(EveryWay):
    def test_pulls_the_image_and_writes_the_log_alone(self):
        for stack, parameters in self.each():
            (policy,) = stack.resources()["ExecutionRole"]["Properties"]["Policies"]
            role = policy["PolicyDocument"]["Statement"]
            repository = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/"
            self.assertTrue(allowed(role, "ecr:GetAuthorizationToken", "*"))
            own = f"{repository}{'tools/parfetch' if 'Image' in parameters else 'parfetch-repository'}"
            for action in ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"):
                self.assertTrue(allowed(role, action, own), action)
                self.assertEqual(allowed(role, action, f"{repository}other"), bool({"Image", "ContenderImage"} & parameters.keys()))
            guard = f"arn:aws:ecr:{REGION}:593207742271:repository/aws-guardduty-agent-fargate"
            self.assertTrue(allowed(role, "ecr:BatchGetImage", guard))
            self.assertFalse(allowed(role, "ecr:BatchGetImage", guard.replace("aws-guardduty-agent-fargate", "other")))
            self.assertFalse(allowed(role, "ecr:PutImage", guard))
            log = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/parfetch/{NAME}:log-stream:task/parfetch/0"
            self.assertTrue(allowed(role, "logs:PutLogEvents", log))
            self.assertFalse(allowed(role, "logs:PutLogEvents", log.replace(f"/parfetch/{NAME}:", "/other:")))
            for action in ("s3:GetObject", "s3:PutObject", "ecr:PutImage", "logs:CreateLogGroup"):
                self.assertFalse(allowed(role, action, "*"))
                self.assertFalse(allowed(role, action, thing(SOURCE, "a")))


class TheResultsBucket(unittest.TestCase):
    def test_takes_tls_alone(self):
        resources = Stack(SourceBucket=SOURCE).resources()
        name = Stack(SourceBucket=SOURCE).outputs()["ResultsBucket"]
        policy = resources["ResultsBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"] + [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
        good = {"aws:SecureTransport": "true", "s3:TlsVersion": "1.3"}
        for where in (bucket(name), thing(name, "parfetch/a")):
            self.assertTrue(allowed(policy, "s3:PutObject", where, good))
            self.assertFalse(allowed(policy, "s3:PutObject", where, {"aws:SecureTransport": "false"}))
            self.assertFalse(allowed(policy, "s3:PutObject", where, {**good, "s3:TlsVersion": "1.1"}))

    def test_nothing_is_left_unresolved(self):
        for parameters in WAYS.values():
            stack = Stack(SourceBucket=SOURCE, **parameters)
            whole = {"resources": stack.resources(), "outputs": stack.outputs()}
            text = json.dumps(whole, default=lambda one: "NO VALUE" if one is NO_VALUE else "?")
            for left in ("Fn::", '"Ref"', "${", "NO VALUE"):
                self.assertNotIn(left, text)


if __name__ == "__main__":
    unittest.main()
