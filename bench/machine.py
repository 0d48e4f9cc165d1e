"""What a reader of the figures has to know of the machine and of the versions. No host name, no path."""

import os
import pathlib
import platform
import re
import subprocess
import time

import install


def first_line(command):
    """What a program says of its version, or None."""
    try:
        done = subprocess.run(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    except OSError:
        return None
    return done.stdout.strip().splitlines()[0] if done.returncode == 0 and done.stdout.strip() else None


def cpu_model():
    try:
        found = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return None
    return found[1] if found else None


def commit():
    """Of the source beside this file, which need not be that of the binary."""
    found = first_line(["git", "-C", install.ROOT, "rev-parse", "--short", "HEAD"])
    return found or "unknown"


def facts(given, tools, cpus):
    """Name -> what a person reads."""
    peers = [package for name in tools.peers for package in install.PINNED[name][:1] if name != "s5cmd"] + (["s5cmd " + install.S5CMD_VERSION] if "s5cmd" in tools.peers else [])
    nginx = first_line([tools.nginx, "-v"]) if tools.nginx else None
    # A path of the caller's machine is nobody's business.
    shown = [word if "/" not in word else pathlib.Path(word).name for word in given]
    return {
        "command": " ".join(["bench/run.py", *shown]),
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "machine": f"{cpu_model() or platform.machine()}, {len(os.sched_getaffinity(0))} CPUs, Linux {platform.release()}, load before {os.getloadavg()[0]:.1f}",
        "held to": "client and server not pinned" if cpus.client is None else f"client CPU {cpus.client}, server CPU {cpus.server}",
        "source": commit(),
        "versions": ", ".join(filter(None, [first_line([tools.parfetch, "--version"]), nginx, *peers, f"Python {platform.python_version()}"])),
    }
