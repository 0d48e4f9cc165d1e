"""The manifests for Kubernetes, held against the models of its API, and against the task of the template."""

import pathlib
import re
import unittest

import kubernetes.client.models as models
import yaml

from stack import Stack

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "kubernetes"
KINDS = {"Job": models.V1Job, "ServiceAccount": models.V1ServiceAccount}


def documents(name):
    return [one for one in yaml.safe_load_all((FOLDER / name).read_text(encoding="utf-8")) if one]


def wrong(value, kind, path):
    """What of a value is not as the API's model says: unknown fields, missing ones, other types."""
    if found := re.fullmatch(r"[Ll]ist\[(.+)\]", kind):
        return [w for number, one in enumerate(value) for w in wrong(one, found[1], f"{path}[{number}]")]
    if found := re.fullmatch(r"[Dd]ict[(\[]str, (.+)[)\]]", kind):
        return [w for name, one in value.items() for w in wrong(one, found[1], f"{path}.{name}")]
    simple = {"str": str, "int": int, "bool": bool, "object": (str, int)}.get(kind)
    if simple:
        return [] if isinstance(value, simple) and (kind == "bool" or not isinstance(value, bool)) else [f"{path}: {value!r} is not a {kind}"]
    model = getattr(models, kind)
    names = {there: here for here, there in model.attribute_map.items()}
    said = [f"{path}: there is no {name}" for name in value if name not in names]
    for name, one in value.items():
        if name in names:
            said += wrong(one, model.openapi_types[names[name]], f"{path}.{name}")
    try:
        model(**{names[name]: one for name, one in value.items() if name in names})
    except ValueError as error:
        said.append(f"{path}: {error}")
    return said


def pod(name):
    return documents(name)[0]["spec"]["template"]["spec"]


class Manifests(unittest.TestCase):
    files = ("job.yaml", "indexed-job.yaml")

    def test_are_as_the_api_has_them(self):
        for name in self.files:
            for one in documents(name):
                self.assertEqual(wrong(one, KINDS[one["kind"]].__name__, name), [])

    def test_the_model_finds_what_is_wrong(self):
        (job, _) = documents("job.yaml")
        job["spec"]["template"]["spec"]["containers"][0]["readOnlyRootFilesystem"] = True
        job["spec"]["backoffLimit"] = "0"
        del job["spec"]["template"]["spec"]["containers"][0]["name"]
        found = "\n".join(wrong(job, "V1Job", "job"))
        for one in ("containers[0]: there is no readOnlyRootFilesystem", "backoffLimit: '0' is not a int", "name"):
            self.assertIn(one, found)

    def test_a_pod_is_confined_as_a_task_is(self):
        task = Stack(SourceBucket="images").resources()["TaskDefinition"]["Properties"]["ContainerDefinitions"][0]
        for name in self.files:
            spec = pod(name)
            (one,) = spec["containers"]
            confined = one["securityContext"]
            self.assertEqual(confined["readOnlyRootFilesystem"], task["ReadonlyRootFilesystem"])
            self.assertEqual(confined["capabilities"]["drop"], task["LinuxParameters"]["Capabilities"]["Drop"])
            self.assertFalse(confined["allowPrivilegeEscalation"])
            self.assertEqual(spec["terminationGracePeriodSeconds"], task["StopTimeout"])
            self.assertTrue(spec["securityContext"]["runAsNonRoot"])
            self.assertEqual(task["User"], f"{spec['securityContext']['runAsUser']}:65532")
            self.assertEqual([mount["mountPath"] for mount in one["volumeMounts"]], [mount["ContainerPath"] for mount in task["MountPoints"]])
            self.assertEqual({volume["name"] for volume in spec["volumes"]}, {mount["name"] for mount in one["volumeMounts"]})

    def test_results_go_where_the_role_of_the_template_may_store_them(self):
        role = Stack(SourceBucket="images", ExistingResultsBucket="results").resources()["TaskRole"]["Properties"]
        statements = role["Policies"][0]["PolicyDocument"]["Statement"]
        (allowed,) = (one["Resource"] for one in statements if one.get("Sid") == "KeepResults")
        below = allowed.split(":::")[1].removesuffix("*")
        for name in self.files:
            environment = {one["name"]: one["value"] for one in pod(name)["containers"][0]["env"]}
            stored = f"{environment['RESULT_BUCKET_NAME']}/{environment.get('PARFETCH_RESULT_PREFIX', '')}"
            self.assertTrue(stored.startswith(below), f"{name}: {stored} is not below {below}")

    def test_a_pod_is_tried_once_and_has_what_it_asks_for(self):
        for name in self.files:
            job = documents(name)[0]["spec"]
            self.assertEqual((job["backoffLimit"], pod(name)["restartPolicy"]), (0, "Never"))
            (one,) = pod(name)["containers"]
            self.assertEqual(one["resources"]["requests"], one["resources"]["limits"])

    def test_every_shard_has_a_pod(self):
        job = documents("indexed-job.yaml")[0]["spec"]
        (one,) = pod("indexed-job.yaml")["containers"]
        values = {variable["name"]: variable["value"] for variable in one["env"]}
        self.assertEqual((job["completionMode"], str(job["completions"])), ("Indexed", values["PARFETCH_SHARD_COUNT"]))

    def test_every_variable_is_a_setting(self):
        settings = (FOLDER.parents[1] / "docs" / "settings.md").read_text(encoding="utf-8")
        for name in self.files:
            for variable in pod(name)["containers"][0]["env"]:
                self.assertIn(variable["name"], settings)


if __name__ == "__main__":
    unittest.main()
