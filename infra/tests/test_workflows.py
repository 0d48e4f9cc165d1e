"""The workflows of CI and of releases, read as text: nothing here can run them. `.ci/run` gives them to actionlint as well."""

import pathlib
import re
import subprocess
import sys
import tomllib
import unittest

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / ".github" / "workflows"


def workflow(name):
    # YAML 1.1 reads the key `on` as true.
    return yaml.safe_load((FOLDER / f"{name}.yml").read_text(encoding="utf-8"))


def commands(job):
    return [step["run"] for step in job["steps"] if "run" in step]


class Workflows(unittest.TestCase):
    def test_zizmor_finds_nothing(self):
        """Actions pinned by commit, least permissions with their reasons, no credentials left in the checkout, nothing from outside in a script."""
        program = pathlib.Path(sys.executable).with_name("zizmor")
        command = [program, "--offline", "--pedantic", "--strict-collection", "--no-progress", "--color", "never", "--no-config", FOLDER]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_ci_and_a_release_pass_the_same_checks(self):
        self.assertIn(".ci/run", commands(workflow("ci")["jobs"]["linux"]))
        jobs = workflow("release")["jobs"]
        self.assertIn(".ci/run", commands(jobs["check"]))
        self.assertIn("cargo publish --dry-run --locked", commands(jobs["check"]))
        self.assertEqual(set(jobs["publish"]["needs"]), set(jobs) - {"publish"})

    def test_archives_are_of_the_platforms_whose_licences_are_listed(self):
        matrix = workflow("release")["jobs"]["archive"]["strategy"]["matrix"]["include"]
        listed = tomllib.loads((ROOT / "tools/release/about.toml").read_text(encoding="utf-8"))["targets"]
        self.assertEqual(sorted(one["target"] for one in matrix), sorted(listed))

    def test_licences_that_an_archive_may_name_are_those_that_are_allowed(self):
        named = tomllib.loads((ROOT / "tools/release/about.toml").read_text(encoding="utf-8"))["accepted"]
        allowed = tomllib.loads((ROOT / "deny.toml").read_text(encoding="utf-8"))["licenses"]["allow"]
        self.assertEqual(sorted(named), sorted(allowed))

    def test_the_image_is_that_of_infra_for_both_architectures(self):
        (build,) = [one for one in commands(workflow("release")["jobs"]["image"]) if "buildx build" in one]
        self.assertIn("-f infra/Dockerfile --platform linux/amd64,linux/arm64", build)

    def test_only_the_jobs_that_write_may(self):
        for name in ("ci", "release"):
            self.assertEqual(workflow(name)["permissions"], {"contents": "read"})
        writers = {name for name, job in workflow("release")["jobs"].items() if "write" in job.get("permissions", {}).values()}
        self.assertEqual(writers, {"image", "publish"})
        self.assertFalse(any("permissions" in job for job in workflow("ci")["jobs"].values()))

    def test_scripts_that_are_called_exist(self):
        for name in ("ci", "release"):
            for job in workflow(name)["jobs"].values():
                for script in re.findall(r"(?:^|\s)((?:tools|\.ci)/\S+)", "\n".join(commands(job))):
                    self.assertTrue((ROOT / script).is_file(), script)


if __name__ == "__main__":
    unittest.main()
