#!/usr/bin/env python3
"""Measures parfetch beside hey, wrk and oha on one web server: nginx with a file of 1 KiB, keep-alive, one CPU each.

    cargo build --profile dist && python3 bench/web.py          # 6 rounds of 200,000 requests with 50 connections
    python3 bench/web.py --short                                 # does everything work? (its figures mean nothing)

Shows requests/s, percentiles of the latency and CPU per request of the whole process, and the ratio to hey and wrk. nginx and wrk come from Debian's
packages, hey from `go install`; oha is taken where it is on the PATH (`cargo install oha --locked`, some minutes). What cannot be got is left out and said.
Each round runs every program once, in a random order. At the end stands whether the budgets hold: exit code 1 when one does not, or cannot be checked.
"""

import argparse
import json
import os
import pathlib
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

import install
import measure
import servers

HEY = "github.com/rakyll/hey@v0.1.4"
CONFIGURATION = """
worker_processes 1; daemon off; {user} pid {folder}/pid; error_log {folder}/error.log crit;
events {{ worker_connections 4096; }}
http {{
    access_log off; keepalive_requests 1000000000; open_file_cache max=10;
    client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};
    server {{ listen 127.0.0.1:{port} backlog=4096; root {folder}; }}
}}
"""


def arguments():
    parser = argparse.ArgumentParser(description="Measures parfetch beside hey, wrk and oha on one web server.")
    parser.add_argument("--short", action="store_true", help="one round of few requests: whether everything works")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--requests", type=int, default=200_000)
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--parfetch", metavar="PATH", help="binary to measure (default: the build of the profile dist, else release, else debug)")
    parser.add_argument("--out", metavar="FILE", help="write all figures there, as JSON")
    return parser.parse_args()


# CPU per request of parfetch in mode async, as a share of that of others.
BUDGETS = {"hey": 0.5, "wrk": 1.3}


class Nginx:
    """One nginx that serves one file of 1 KiB."""

    def __init__(self, binary, folder, cpu):
        folder.mkdir()
        (folder / "file").write_bytes(b"x" * 1024)
        port = servers.free_port()
        self.url = f"http://127.0.0.1:{port}/file"
        user = "user root;" if os.geteuid() == 0 else ""
        file = folder / "nginx.conf"
        file.write_text(CONFIGURATION.format(user=user, folder=folder, port=port), encoding="utf-8")
        command = [binary, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(file)]
        with measure.held_to(cpu):
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            servers.wait_for(port, self.process)
        except BaseException:
            self.close()
            raise

    def close(self):
        measure.end(self.process)


def program(name, note):
    """A program of the system, else one that is got: wrk unpacked from Debian's package, hey built by Go."""
    if path := shutil.which(name):
        return path
    place = install.target() / f"bench-{name}"
    if name == "hey":
        failed = "there is no Go" if not shutil.which("go") else install.run(["go", "install", HEY], env={**os.environ, "GOBIN": str(place)})
        path = place / "hey"
    elif name == "wrk":
        place.mkdir(parents=True, exist_ok=True)
        path = place / "usr" / "bin" / "wrk"
        failed = None if path.exists() else install.run(["apt-get", "download", "-q", "wrk", "libluajit-5.1-2"], cwd=place)
        for package in place.glob("*.deb"):
            failed = install.run(["dpkg", "-x", package, place])
            package.unlink()
    else:
        failed, path = "it is not on the PATH (cargo install oha --locked)", place
    if failed or not path.exists():
        note(f"{name} is left out: {failed or 'it was not made'}")
        return None
    return str(path)


def libraries():
    """Where the unpacked wrk finds its Lua."""
    return {**os.environ, "LD_LIBRARY_PATH": ":".join(map(str, (install.target() / "bench-wrk" / "usr" / "lib").glob("*-linux-gnu")))}


def seconds(text):
    """`1.20ms` in seconds."""
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()
    return float(number) * {"us": 1e-6, "ms": 1e-3, "s": 1, "m": 60}[unit]


class Hey:
    name = "hey"

    def command(self, path, url, requests, connections, _folder):
        return [path, "-n", requests, "-c", connections, url]

    def read(self, said, _folder):
        percentiles = {int(p): float(s) for p, s in re.findall(r"^\s+(\d+)%{1,2} in ([\d.]+) secs", said, re.M)}
        count = sum(map(int, re.findall(r"^\s+\[200\]\s+(\d+) responses", said, re.M)))
        return count, float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1]), percentiles


class Wrk:
    """Has no number of requests: as long as hey took, roughly."""
    name = "wrk"

    def __init__(self, duration):
        self.duration = duration

    def command(self, path, url, _requests, connections, _folder):
        return [path, "-t", 1, "-c", connections, "-d", f"{self.duration}s", "--latency", url]

    def read(self, said, _folder):
        percentiles = {int(p): seconds(s) for p, s in re.findall(r"^\s+(\d+)%\s+([\d.]+\w+)$", said, re.M)}
        return int(re.search(r"(\d+) requests in", said)[1]), float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1]), percentiles


class Oha:
    name = "oha"

    def command(self, path, url, requests, connections, _folder):
        return [path, "--no-tui", "--output-format", "json", "-n", requests, "-c", connections, url]

    def read(self, said, _folder):
        found = json.loads(said)
        percentiles = {int(name[1:]): value for name, value in found["latencyPercentiles"].items() if name[1:].isdigit()}
        return sum(found["statusCodeDistribution"].values()), found["summary"]["requestsPerSec"], percentiles


class Parfetch:
    def __init__(self, mode):
        self.name, self.mode = f"parfetch {mode}", mode

    def command(self, path, url, requests, connections, folder):
        return [path, "run", url, "-n", requests, "-c", connections, "-m", self.mode, "-o", folder, "-t", "web", "--progress", "never", "--output", "json"]

    def read(self, said, _folder):
        found = json.loads(said)
        latency, rows = found["distributions"]["latency"], found["totals"]["rows"]
        percentiles = {p: latency[f"p{p}_ns"] / 1e9 for p in (10, 25, 50, 75, 90, 95, 99)}
        return rows["ok"], rows["ok"] / (found["phases"]["fetch_ns"] / 1e9), percentiles


def shown(runs):
    """One line for each program: medians over the rounds."""
    of = lambda name, field: statistics.median(run[field] for run in runs if run["program"] == name)
    names = sorted({run["program"] for run in runs}, key=lambda name: of(name, "cpu_us"))
    lines = [f"{'program':<18}{'requests/s':>12}{'50 % ms':>10}{'90 % ms':>10}{'99 % ms':>10}{'CPU µs/request':>16}{'÷ hey':>8}{'÷ wrk':>8}"]
    for name in names:
        ratio = lambda other: f"{of(name, 'cpu_us') / of(other, 'cpu_us'):.2f}" if other in names else "–"
        milliseconds = lambda p: f"{of(name, f'p{p}') * 1e3:.2f}"
        lines.append(f"{name:<18}{of(name, 'rate'):>12,.0f}{milliseconds(50):>10}{milliseconds(90):>10}{milliseconds(99):>10}{of(name, 'cpu_us'):>16.2f}{ratio('hey'):>8}{ratio('wrk'):>8}")
    return "\n".join(lines)


def budgets(runs):
    """A line for each budget, and whether all of them hold."""
    names = {run["program"] for run in runs}
    cpu = lambda name: statistics.median(run["cpu_us"] for run in runs if run["program"] == name)
    lines, holds = [], True
    for other, most in BUDGETS.items():
        if other not in names:
            lines.append(f"CPU per request, parfetch async ÷ {other}: at most {most}; not checked, as there is no {other}")
            holds = False
            continue
        ratio = cpu("parfetch async") / cpu(other)
        lines.append(f"CPU per request, parfetch async ÷ {other}: at most {most}; {ratio:.2f}, {'holds' if ratio <= most else 'DOES NOT HOLD'}")
        holds &= ratio <= most
    return "\n".join(lines), holds


def main():
    options = arguments()
    note = lambda text: print(f"note: {text}", file=sys.stderr)
    parfetch, nginx = install.parfetch(options.parfetch, note), install.nginx(note)
    if not nginx:
        sys.exit("error: there is no nginx to measure")
    requests, rounds = (2_000, 1) if options.short else (options.requests, options.rounds)
    programs = [(Parfetch(mode), parfetch) for mode in ("async", "thread")]
    others = [Hey(), Wrk(1 if options.short else 5), Oha()]
    programs += [(other, path) for other in others if (path := program(other.name, note))]
    cpus, order, runs = measure.Cpus.choose(), random.Random(options.seed), []
    with tempfile.TemporaryDirectory(prefix="parfetch-web-") as folder:
        folder = pathlib.Path(folder)
        server = Nginx(nginx, folder / "nginx", cpus.server)
        try:
            for number in range(rounds):
                for of, path in order.sample(programs, len(programs)):
                    command = of.command(path, server.url, requests, options.connections, folder / "out")
                    used = measure.run(command, cpus.client, libraries())
                    if used.code != 0:
                        sys.exit(f"{of.name} ended with {used.code}: {used.stderr.strip()[-500:]}")
                    count, rate, percentiles = of.read(used.stdout, folder / "out")
                    if count == 0:
                        sys.exit(f"{of.name} got no good answer")
                    runs.append({"program": of.name, "round": number, "requests": count, "rate": rate, "cpu_us": used.cpu_ns / 1e3 / count,
                                 **{f"p{p}": percentiles[p] for p in (50, 90, 99)}})
        finally:
            server.close()
    print(f"nginx, 1 KiB, keep-alive, {options.connections} connections, {rounds} rounds, medians; CPU of the whole process\n\n{shown(runs)}")
    said, holds = budgets(runs)
    print(f"\n{said}")
    if options.out:
        pathlib.Path(options.out).write_text(json.dumps(runs, indent=1), encoding="utf-8")
    # So few requests are mostly start-up.
    sys.exit(0 if holds or options.short else 1)


if __name__ == "__main__":
    main()
