"""Every program that takes part: how it is called for a cell, and what it says of itself. One call is one process; all fetch the keys of one list."""

import csv
import dataclasses
import json
import os
import pathlib
import re
import time

import install
import measure
import servers

PEERS = install.ROOT / "contenders"
# Objects of 16 KiB that a program fetches in one call of the usual form: fewer for those that take minutes for more. Its start-up is part of the whole-process figures,
# so that a small number makes it look slower than it is; the number is shown beside every figure.
SMALL = {"raw": 100_000, "lean": 100_000, "stock": 100_000, "sdk": 50_000, "s5cmd": 100_000, "awscrt": 30_000, "obstore": 30_000, "boto3": 20_000, "study": 50_000}
# Of https: its connections are opened anew for most requests.
SLOW_TLS = {"s5cmd": 10_000}
LARGE_BYTES, SLOW_LARGE_BYTES = 2 << 30, {"boto3": 1 << 30, "study": 1 << 30}
SMALL_SIZES = ("16k", "256k", "lognormal")


@dataclasses.dataclass(frozen=True)
class Cell:
    """One place of the table; every program of it fetches the same objects with the same concurrency."""
    scheme: str
    size: str
    concurrency: int

    @property
    def name(self):
        return f"{self.scheme}-{self.size}-x{self.concurrency}"


@dataclasses.dataclass
class Result:
    """One run of a program. None: not known."""
    objects: int
    bytes: int
    wall_ns: int
    # Start of the workers to the end of the last fetch, as the program says.
    fetch_wall_ns: int | None
    cpu_whole_ns: int
    cpu_fetch_ns: int | None
    peak_bytes: int | None
    # What it fetched, as it says itself: must be objects and bytes. None where it does not say.
    said: tuple | None


class Wrong(Exception):
    """A program did not do what it was asked to do."""


class Bench:
    """What a call needs to know: where things are, and which server is asked."""

    def __init__(self, folder, cpus, tools):
        self.folder, self.cpus, self.tools, self.nginx = folder, cpus, tools, None

    def endpoint(self, cell):
        return self.nginx.http if cell.scheme == "http" else self.nginx.https

    def environment(self, cell=None):
        """Of a program: credentials that nobody checks, the authority to trust, nothing of the caller's own AWS settings."""
        kept = {name: value for name, value in os.environ.items() if not re.match("(AWS_|S3_|PARFETCH_|PYTHON|BUCKET_NAME|RESULT_BUCKET|CONCURRENCY|MODE|TAG|KEY_FILE|.*_proxy$)", name, re.I)}
        kept.update(AWS_ACCESS_KEY_ID="AKIAIOSFODNN7EXAMPLE", AWS_SECRET_ACCESS_KEY="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", AWS_REGION="us-east-1",
                    AWS_DEFAULT_REGION="us-east-1", AWS_EC2_METADATA_DISABLED="true", AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull,
                    TMPDIR=str(self.folder))
        if cell and cell.scheme == "https":
            kept.update(AWS_CA_BUNDLE=str(self.nginx.ca), SSL_CERT_FILE=str(self.nginx.ca))
        return kept

    def keys(self, size, count):
        """A key file of that many objects: (path, bytes of them all)."""
        path = self.folder / f"keys-{size}-{count}.tsv"
        entries = servers.objects(size, count)
        if not path.exists():
            path.write_text("# parfetch-keys 1\n" + "".join(f"{key}\t{length}\n" for key, length in entries), encoding="utf-8")
        return path, sum(length for _, length in entries)


class Program:
    """A program that takes part. `kind` says of which column of SMALL it is."""

    kind = name = "?"
    # What a reader has to know of its figures.
    remark = ""

    def available(self, tools):
        """Whether it is there."""
        raise NotImplementedError

    def run(self, bench, cell, count):
        """Fetches `count` objects."""
        raise NotImplementedError


def checked(used, name, cell):
    if used.code != 0:
        raise Wrong(f"{name} in {cell.name}: exit code {used.code}: {(used.stderr or used.stdout).strip()[-400:]}")
    return used


class Parfetch(Program):
    """parfetch with a client and a mode. `build` says which of two builds: the one that is measured, or the `base` that it is compared with."""

    def __init__(self, client, mode, build="parfetch"):
        self.kind, self.client, self.mode, self.build = client, client, mode, build
        self.name = f"{build} {client} {mode}"

    def available(self, tools):
        return self.binary(tools) is not None

    def binary(self, tools):
        return tools.base if self.build == "base" else tools.parfetch

    def run(self, bench, cell, count):
        keys, size = bench.keys(cell.size, count)
        out = bench.folder / "out"
        command = [self.binary(bench.tools), "run", "--endpoint-url", bench.endpoint(cell), "--bucket", servers.bucket(cell.size), "--keys", keys, "--out", out,
                   "--client", self.client, "--mode", self.mode, "--concurrency", cell.concurrency, "--output", "json", "--progress", "never", "--log-level", "error"]
        used = checked(measure.run(command, bench.cpus.client, bench.environment(cell)), self.name, cell)
        summary = json.loads(used.stdout)
        phases, cpu, rows = summary["phases"], summary["cpu"], summary["totals"]["rows"]
        said = (rows["ok"], summary["totals"]["goodput_bytes"])
        return Result(count, size, used.wall_ns, phases["worker_start_ns"] + phases["fetch_ns"], used.cpu_ns, cpu["fetch_user_ns"] + cpu["fetch_sys_ns"],
                      summary["memory"]["peak_pss_bytes"], said)


class Line(Program):
    """A program of ours that prints one line of JSON."""

    def __init__(self, name):
        self.kind = self.name = name

    def available(self, tools):
        return tools.programs is not None

    def call(self, bench, cell, keys):
        """Its command and its environment."""
        program = bench.tools.programs / self.name
        return [program, bench.endpoint(cell), servers.bucket(cell.size), keys, cell.concurrency], bench.environment(cell)

    def run(self, bench, cell, count):
        keys, size = bench.keys(cell.size, count)
        command, environment = self.call(bench, cell, keys)
        used = checked(measure.run(command, bench.cpus.client, environment), self.name, cell)
        line = measure.last_json(used.stdout)
        if not isinstance(line, dict):
            raise Wrong(f"{self.name} in {cell.name}: no figures: {used.stderr.strip()[-400:]}")
        return Result(count, size, used.wall_ns, line["wall_ns"], used.cpu_ns, line["cpu_fetch_ns"], line["peak_rss_bytes"], (line["requests"], line["bytes"]))


class PythonPeer(Line):
    """A Python library, by the contender of its name. It reads the key list, and writes no CSV."""

    def __init__(self, name, mode):
        super().__init__(name)
        self.mode = mode

    def available(self, tools):
        return self.name in tools.peers

    def call(self, bench, cell, keys):
        variables = dict(BUCKET_NAME=servers.bucket(cell.size), CONCURRENCY=str(cell.concurrency), MODE=self.mode, AWS_ENDPOINT_URL=bench.endpoint(cell),
                         KEY_FILE=str(keys), PARFETCH_OUT="-")
        return [bench.tools.python, PEERS / f"with_{self.name}.py"], bench.environment(cell) | variables


class S5cmd(Program):
    """s5cmd, with a `cat` for each key. It says nothing of itself, so that its server-side bytes are what is checked."""

    kind = name = "s5cmd"
    remark = "s5cmd tells no fetch phase: its MB/s and requests/s are of the whole process; its bytes are counted in an untimed call, to a pipe"

    def available(self, tools):
        return "s5cmd" in tools.peers

    def run(self, bench, cell, count):
        commands = self.commands(bench, cell, count)
        size = bench.keys(cell.size, count)[1]
        used = checked(measure.run(self.command(bench, cell, commands), bench.cpus.client, bench.environment(cell), discard_stdout=True), self.name, cell)
        if used.stderr.strip():
            raise Wrong(f"s5cmd in {cell.name}: {used.stderr.strip()[-400:]}")
        return Result(count, size, used.wall_ns, None, used.cpu_ns, None, used.max_rss_bytes, None)

    def command(self, bench, cell, commands):
        return [install.s5cmd(bench.tools.python), "--endpoint-url", bench.endpoint(cell), "--numworkers", cell.concurrency, "run", commands]

    def commands(self, bench, cell, count):
        path = bench.folder / f"s5cmd-{cell.size}-{count}.txt"
        if not path.exists():
            name = servers.bucket(cell.size)
            path.write_text("".join(f"cat s3://{name}/{key}\n" for key, _ in servers.objects(cell.size, count)), encoding="utf-8")
        return path

    def check(self, bench, cell):
        """What it writes of ten objects is as long as they are."""
        count = 10
        used = checked(measure.run(self.command(bench, cell, self.commands(bench, cell, count)), bench.cpus.client, bench.environment(cell)), self.name, cell)
        written, expected = len(used.output), bench.keys(cell.size, count)[1]
        if written != expected:
            raise Wrong(f"s5cmd in {cell.name}: {written} bytes instead of {expected}")


class Study(Program):
    """The study's program: boto3, a session a worker, listing included. It fetches all that its bucket lists."""

    def __init__(self, mode):
        self.kind, self.mode = "study", mode
        self.name = f"study {mode}"

    def available(self, tools):
        return "boto3" in tools.peers

    def run(self, bench, cell, count):
        size = bench.keys(cell.size, count)[1]
        environment = bench.environment(cell)
        tag = f"bench{time.monotonic_ns()}"
        environment.update(BUCKET_NAME=servers.bucket(cell.size), RESULT_BUCKET_NAME=servers.RESULTS, CONCURRENCY=str(cell.concurrency), MODE=self.mode, TAG=tag,
                           AWS_ENDPOINT_URL=bench.endpoint(cell))
        # nginx stores an upload as it comes; with a checksum after it, it would come in chunks.
        environment["AWS_REQUEST_CHECKSUM_CALCULATION"] = "when_required"
        used = checked(measure.run([bench.tools.python, PEERS / "fetch_study.py"], bench.cpus.client, environment), self.name, cell)
        result = bench.nginx.folder / "objects" / servers.RESULTS / f"result_{tag}_{self.mode}_{cell.concurrency}.csv"
        with open(result, newline="", encoding="utf-8") as file:
            rows = [row for row in csv.reader(file)]
        result.unlink()
        seconds = re.search(r"([0-9.]+) s\s*$", used.stdout)
        peak = used.max_rss_bytes if self.mode == "thread" else None
        said = (len(rows) - 1, sum(int(row[2]) for row in rows[1:]))
        return Result(count, size, used.wall_ns, round(float(seconds[1]) * 1e9), used.cpu_ns, None, peak, said)


MODES = ("async", "thread", "process")
PROGRAMS = [
    Line("raw"), *(Parfetch("lean", mode, "base") for mode in MODES), Parfetch("lean", "async"), Parfetch("lean", "thread"), Parfetch("lean", "process"), Line("stock"),
    Parfetch("sdk", "async"), Parfetch("sdk", "thread"), Parfetch("sdk", "process"),
    S5cmd(), PythonPeer("awscrt", "async"), PythonPeer("obstore", "async"), PythonPeer("boto3", "thread"), Study("thread"), Study("process"),
]


def count(program, cell, form):
    """Objects of one call."""
    if form == "short":
        return 200 if cell.size in SMALL_SIZES else 8
    if cell.size == "16k":
        if (form == "full" or (form == "strict" and program.kind != "boto3")) and cell.scheme == "http":
            return 100_000
        usual = SMALL[program.kind] if cell.scheme == "http" else SLOW_TLS.get(program.kind, SMALL[program.kind])
        # One connection waits for the server most of the time.
        return usual if cell.concurrency > 1 else usual // 2
    return SLOW_LARGE_BYTES.get(program.kind, LARGE_BYTES) // (servers.SIZES[cell.size] or 256 * servers.KIB)
