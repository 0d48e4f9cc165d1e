"""The image, what goes into it, and the local comparison, read as text. `image.sh` builds the image and runs it."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tomllib
import unittest

import yaml

from stack import Stack

INFRA = pathlib.Path(__file__).resolve().parent.parent
ROOT = INFRA.parent
# The reader of compose files that docker compose itself uses.
COMPOSE_READER = "github.com/compose-spec/compose-go/v2/cmd@v2.16.2"
PINNED = re.compile(r"\S+:\S+@sha256:[0-9a-f]{64}")


def instructions():
    """The Dockerfile's instructions: (name, rest), lines joined, comments left out, ARG defaults of images filled in."""
    lines = [line for line in (INFRA / "Dockerfile").read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#")]
    found = [tuple(one.split(None, 1)) for one in re.sub(r"\\\n\s*", " ", "\n".join(lines)).splitlines() if one.strip()]
    images = dict(rest.split("=", 1) for name, rest in found if name == "ARG" and "=" in rest)
    return [(name, re.sub(r"\$\{(\w+_IMAGE)\}", lambda match: images[match[1]], rest)) for name, rest in found]


def stages():
    """Stage name → its instructions."""
    found, current = {}, None
    for name, rest in instructions():
        if name == "FROM":
            current = found.setdefault(rest.split(" AS ")[1], [])
        if current is not None:
            current.append((name, rest))
    return found


def of(stage, name):
    return [rest for one, rest in stages()[stage] if one == name]


class Dockerfile(unittest.TestCase):
    def test_hadolint_finds_nothing(self):
        program = pathlib.Path(sys.executable).with_name("hadolint")
        files = [INFRA / "Dockerfile", INFRA / "study" / "Dockerfile", ROOT / "contenders" / "Dockerfile"]
        done = subprocess.run([program, "--no-color", *files], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_images_are_pinned(self):
        for stage in stages():
            (image,) = of(stage, "FROM")
            self.assertRegex(image.removeprefix("--platform=$BUILDPLATFORM "), rf"^{PINNED.pattern} AS {stage}$")

    def test_the_study_has_the_python_of_the_comparison(self):
        study = (INFRA / "study" / "Dockerfile").read_text(encoding="utf-8")
        (image,) = of("comparison", "FROM")
        self.assertIn(f"PYTHON_IMAGE={image.removesuffix(' AS comparison')}\n", study)
        for line in ("RUN pip install --no-cache-dir boto3==", "STOPSIGNAL SIGTERM", "USER 65532:65532"):
            self.assertIn(line, study)
        (pip,) = of("comparison", "RUN")
        self.assertIn(f"RUN {pip}\n", study)

    def test_the_compiler_is_the_one_of_the_manifest(self):
        version = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))["workspace"]["package"]["rust-version"]
        self.assertIn(f"rust:{version}.", of("build", "FROM")[0])

    def test_what_is_built_is_what_is_locked(self):
        build = " ".join(of("build", "RUN"))
        self.assertIn("cargo build --locked --profile dist", build)
        self.assertIn("grep -aq jent_read_entropy", build)

    def test_goes_to_fargate_last_without_root_or_shell(self):
        self.assertEqual(list(stages())[-1], "parfetch")
        self.assertIn("gcr.io/distroless/cc-debian12:nonroot@", of("parfetch", "FROM")[0])
        self.assertEqual(of("parfetch", "USER"), ["65532:65532"])
        self.assertEqual(of("parfetch", "STOPSIGNAL"), ["SIGTERM"])
        self.assertEqual(of("parfetch", "ENTRYPOINT"), ['["/parfetch"]'])
        self.assertEqual(of("parfetch", "RUN"), [])

    def test_builder_and_runtime_are_of_one_debian(self):
        self.assertIn("bookworm", of("build", "FROM")[0])
        self.assertIn("bookworm", of("comparison", "FROM")[0])
        self.assertIn("debian12", of("parfetch", "FROM")[0])

    def test_scratch_is_a_volume_that_anybody_may_write_and_that_the_task_mounts(self):
        names = [name for name, rest in stages()["parfetch"] if "/scratch" in rest]
        self.assertEqual(names, ["ENV", "VOLUME", "WORKDIR"])
        # By name it would lose its mode.
        self.assertEqual(of("parfetch", "COPY"), ["--from=build /out/image/ /"])
        self.assertIn("chmod 1777 /out/image/scratch", " ".join(of("build", "RUN")))
        self.assertEqual(of("parfetch", "VOLUME"), ['["/scratch"]'])
        self.assertRegex(of("parfetch", "ENV")[0], r"PARFETCH_SPOOL_DIR=/scratch\s+TMPDIR=/scratch")
        definition = Stack(SourceBucket="images").resources()["TaskDefinition"]["Properties"]
        (container,) = definition["ContainerDefinitions"]
        (mount,) = container["MountPoints"]
        self.assertEqual((mount["ContainerPath"], mount["SourceVolume"]), ("/scratch", definition["Volumes"][0]["Name"]))
        self.assertEqual(container["User"], of("parfetch", "USER")[0])

    def test_says_what_it_is(self):
        package = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))["workspace"]["package"]
        (labels,) = of("parfetch", "LABEL")
        for name in ("version", "licenses"):
            self.assertIn(f'org.opencontainers.image.{name}="{package[name.replace("licenses", "license")]}"', labels)


class BuildContext(unittest.TestCase):
    def kept(self, path):
        """Whether the ignore file lets a path in: the last pattern that matches it or a folder above it decides."""
        keeps = True
        for line in (INFRA / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("#"):
                pattern = re.escape(line.removeprefix("!")).replace(r"\*\*/", "(.*/)?").replace(r"\*", "[^/]*")
                if any(re.fullmatch(pattern, str(one)) for one in (path, *path.parents)):
                    keeps = line.startswith("!")
        return keeps

    def test_everything_that_is_compiled_gets_in(self):
        sources = [*ROOT.glob("src/**/*.rs"), *ROOT.glob("crates/*/src/**/*.rs")]
        needed = [*sources, *ROOT.glob("crates/*/Cargo.toml"), ROOT / ".cargo/config.toml", ROOT / "Cargo.toml", ROOT / "Cargo.lock"]
        for source in sources:
            included = re.findall(r'include_(?:str|bytes)!\("([^"]+)"\)', source.read_text(encoding="utf-8"))
            # Documents are read by tests alone.
            needed += [(source.parent / one).resolve() for one in included if not one.endswith(".md")]
        manifest = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))
        needed += [ROOT / one["path"] for kind in ("bin", "test", "bench") for one in manifest.get(kind, []) if "path" in one]
        self.assertGreater(len(needed), 100)
        for path in needed:
            self.assertTrue(path.exists(), path)
            self.assertTrue(self.kept(path.relative_to(ROOT)), path)

    def test_everything_that_is_copied_gets_in(self):
        copied = [one for rest in of("comparison", "COPY") if "--from" not in rest for one in rest.split()[:-1]]
        self.assertEqual(len(copied), 2)
        for one in copied:
            self.assertTrue((ROOT / one).exists(), one)
            self.assertTrue(self.kept(pathlib.PurePath(one)), one)

    def test_nothing_else_gets_in(self):
        for one in (".git/config", "target/release/parfetch", "parfetch-results/a.csv", "docs/report.png", "infra/template.yaml", ".cargo/credentials.toml",
                    ".env", "tests/page/node_modules/x.js", "tests/data/x.snap.new"):  # fmt: skip
            self.assertFalse(self.kept(pathlib.PurePath(one)), one)


class Compose(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.file = INFRA / "compose.yaml"
        cls.services = yaml.safe_load(cls.file.read_text(encoding="utf-8"))["services"]

    def test_is_read_by_docker_compose(self):
        docker = [shutil.which("docker") or "docker", "compose"]
        if shutil.which("docker") and subprocess.run([*docker, "version"], capture_output=True).returncode == 0:
            command = [*docker, "-f", self.file, "config", "--quiet"]
        else:
            command = [self.reader(), self.file]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertEqual(done.returncode, 0, done.stdout)

    def reader(self):
        """The reader alone, built by Go beside this Python's packages."""
        if not shutil.which("go"):
            self.skipTest("there is neither docker compose nor Go")
        folder = pathlib.Path(sys.prefix) / "go" / COMPOSE_READER.rsplit("@", 1)[1]
        if not (folder / "cmd").exists():
            done = subprocess.run(["go", "install", COMPOSE_READER], env={**os.environ, "GOBIN": str(folder)}, capture_output=True, text=True)
            if done.returncode:
                self.skipTest(f"Go cannot get the reader of compose files: {done.stderr.strip()}")
        return folder / "cmd"

    def test_images_are_pinned_or_built_here(self):
        for name, service in self.services.items():
            if "build" in service:
                self.assertEqual((service["build"]["context"], service["build"]["dockerfile"]), ("..", "infra/Dockerfile"), name)
                self.assertIn(service["build"]["target"], stages(), name)
                self.assertTrue(service["image"].endswith(":local"), name)
            else:
                self.assertRegex(service["image"], rf"^{PINNED.pattern}$", name)
                self.assertTrue(service["image"].startswith("quay.io/"), name)

    def test_ports_are_on_this_machine_alone(self):
        ports = [port for service in self.services.values() for port in service.get("ports", [])]
        self.assertEqual(len(ports), 1)
        for port in ports:
            self.assertTrue(port.startswith("127.0.0.1:"), port)

    def test_each_starts_when_the_one_before_is_done(self):
        conditions = {name: service.get("depends_on", {}) for name, service in self.services.items()}
        done = "service_completed_successfully"
        self.assertEqual(conditions["fill"], {"minio": {"condition": "service_healthy"}})
        self.assertIn("healthcheck", self.services["minio"])
        self.assertEqual(conditions["run"], {"fill": {"condition": done}})
        self.assertEqual(conditions["comparison"], {"run": {"condition": done}})
        self.assertEqual(conditions["study"], {"fill": {"condition": done}})

    def test_the_run_is_as_on_fargate(self):
        run = self.services["run"]
        self.assertTrue(run["read_only"])
        self.assertNotIn("command", run)
        self.assertEqual((run["volumes"], run["stop_grace_period"]), (["/scratch"], "120s"))
        self.assertEqual(run["ulimits"], {"nofile": {"soft": 65535, "hard": 65535}})

    def test_every_variable_is_a_setting(self):
        settings = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
        for name in ("run", "comparison"):
            for variable in self.services[name]["environment"]:
                if variable not in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
                    self.assertIn(f"`{variable}`", settings, name)

    def test_every_flag_of_the_sweep_is_one(self):
        settings = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8").split("## parfetch sweep")[1].split("\n## ")[0]
        command = self.services["comparison"]["command"]
        self.assertEqual(command[0], "sweep")
        for flag in command[1:]:
            self.assertIn(f"`{flag.split('=')[0]}", settings)

    def test_what_is_started_was_copied(self):
        copied = {pathlib.PurePath(one).name for rest in of("comparison", "COPY") for one in rest.split()[:-1]}
        for name in ("fill", "study"):
            program = pathlib.PurePath(self.services[name]["entrypoint"][1])
            self.assertEqual(str(program.parent), "/opt")
            self.assertIn(program.name, copied)
        (contender,) = [one for one in self.services["comparison"]["command"] if one.startswith("--contender=")]
        self.assertTrue(contender.endswith("python3 /opt/fetch_study.py"))


if __name__ == "__main__":
    unittest.main()
