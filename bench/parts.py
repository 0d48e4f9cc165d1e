"""What is measured beside the cells: how fast the embedded server is, and the budgets that need its network model, its listing, or nothing but a start.

Each part maps a Context to its results: name -> list of values, one a repetition, or words. `words` makes a text of them.
"""

import dataclasses
import itertools
import json
import pathlib
import re
import socket
import statistics
import threading
import time
import urllib.request
from collections.abc import Callable

import contenders
import install
import measure
import scale
import servers
import stats
import table
from contenders import Wrong

MODES = ("async", "thread", "process")


@dataclasses.dataclass
class Context:
    """What a part needs to know."""
    tools: object
    bench: contenders.Bench
    folder: pathlib.Path
    form: str
    rounds: int
    note: Callable
    say: Callable

    def run(self, arguments, cpu=None, environment=None):
        """One `parfetch run`; its summary. Every row must be ok."""
        command = [self.tools.parfetch, "run", "--output", "json", "--progress", "never", "--log-level", "error", "--out", self.folder / "out", *arguments]
        used = measure.run(command, cpu, self.bench.environment() | (environment or {}))
        if used.code != 0:
            raise Wrong(f"parfetch {' '.join(map(str, arguments))}: exit code {used.code}: {used.stderr.strip()[-400:]}")
        return json.loads(used.stdout)


def serving(context, options):
    """The embedded server on the server's CPU; to be closed."""
    return servers.Embedded(context.tools.parfetch, context.folder, options, context.bench.cpus.server)


def ceiling(context):
    """What one core of the embedded server serves, asked by `raw`, which costs the client next to nothing."""
    if not context.tools.programs:
        context.note("no ceiling of the embedded server: there is no raw")
        return None
    small, large, pages = (2_000, 16, 20) if context.form == "short" else (100_000, 800, 3_000)
    kinds = {
        "16 KiB": ("objects=1000,size=16KiB", None, small),
        "8 MiB": ("objects=16,size=8MiB", None, large),
        "list page of 1,000 keys": ("objects=100000,size=16KiB", ["?list-type=2"], pages),
    }
    found = {}
    for name, (options, paths, count) in kinds.items():
        keys = context.folder / "paths.txt"
        server = serving(context, options)
        try:
            keys.write_text("".join(f"{path}\n" for path in itertools.islice(itertools.cycle(paths or first_keys(server)), count)), encoding="utf-8")
            context.say(f"  ceiling  {name}")
            values = [ask(context, server, keys, count) for _ in range(context.rounds)]
        finally:
            server.close()
        found[name] = {"per_s": [v[0] for v in values], "server_us": [v[1] for v in values], "bytes_per_s": [v[2] for v in values]}
    context.say("  ceiling  16 KiB, signed")
    values = [signed(context, small) for _ in range(context.rounds)]
    found["16 KiB, signed (lean asks, no CPU kept apart)"] = {"per_s": [v[0] for v in values], "server_us": [v[1] for v in values], "bytes_per_s": [v[2] for v in values]}
    return found


def signed(context, count):
    """The same as `ask` of signed requests, which `raw` has none of: of a run of `lean`, the server's CPU as it logs it."""
    summary = context.run([f"--embedded=objects={count},size=16KiB", "-c", 16, "--client", "lean"])
    server, rates = summary["server"], summary["rates"]
    return rates["requests_per_s"], server["cpu_ns"] / 1e3 / server["gets"], rates["goodput_bytes_per_s"]


def first_keys(server):
    """The keys of the server's first page."""
    with urllib.request.urlopen(f"{server.http}/source?list-type=2", timeout=10) as answer:
        return re.findall("<Key>([^<]+)</Key>", answer.read().decode())


def ask(context, server, keys, count):
    """Requests/s that `raw` saw, CPU microseconds of the server for each, bytes/s."""
    before = measure.cpu_of(server.pids)
    used = measure.run([context.tools.programs / "raw", server.http, "source", keys, 16], context.bench.cpus.client, context.bench.environment())
    cpu_ns = measure.cpu_of(server.pids) - before
    line = measure.last_json(used.stdout)
    if used.code != 0 or line["requests"] != count:
        raise Wrong(f"raw at the embedded server: {used.stderr.strip()[-400:]}")
    seconds = line["wall_ns"] / 1e9
    return count / seconds, cpu_ns / 1e3 / count, line["bytes"] / seconds


def s3(context):
    """Active-window requests/s over concurrency / mean service time as the server logged it, with network=s3: of each round the lowest of all concurrencies."""
    concurrencies = (1, 16) if context.form == "short" else (1, 2, 4, 8, 16) if context.form in ("strict", "full") else (1, 4, 16)
    # A run is a tail of its last fetches: so many fetches a worker make it small, as only the time before counts.
    each = 10 if context.form == "short" else 100
    found, detail = {f"lean {mode}": [] for mode in MODES}, []
    for number in range(context.rounds):
        for mode in MODES:
            shares = []
            for concurrency in concurrencies:
                context.say(f"  s3  round {number + 1}/{context.rounds}  {mode} x{concurrency}")
                summary = context.run([f"--embedded=objects={each * concurrency + each},network=s3", "-c", concurrency, "-m", mode, "--client", "lean"])
                share, busy = share_of_possible(summary, concurrency)
                detail.append({"mode": mode, "concurrency": concurrency, "share": share, "server_busy": busy})
                if busy < 0.7:
                    shares.append(share)
                else:
                    context.note(f"s3: {mode} x{concurrency} does not count, its server was {busy:.0%} busy")
            if shares:
                found[f"lean {mode}"].append(min(shares))
    return found | {"detail": detail}


def share_of_possible(summary, concurrency):
    """How much of what is possible was reached, and the share of its core that the server used."""
    server = summary["server"]
    possible = concurrency / (server["service_time"]["mean_ns"] / 1e9)
    busy = server["cpu_ns"] / server["wall_ns"] / server["threads"]
    return summary["rates"]["active_window_fetches_per_s"] / possible, busy


def listing(context):
    """Keys/s of parfetch's listing and of `s5cmd ls`, on a bucket with pages that take 80 ms."""
    if "s5cmd" not in context.tools.peers:
        context.note("no listing: there is no s5cmd to compare with")
        return None
    objects = 5_000 if context.form == "short" else 1_000_000 if context.form == "full" else 100_000
    options = f"objects={objects},size=1KiB,list-delay=80ms"
    prefixes = f"prefixes={objects // 500}"
    if servers.accepts(context.tools.parfetch, prefixes):
        options += f",{prefixes}"
    else:
        context.note("listing: this parfetch's server has no option for the number of prefixes; its keys lie under up to 100")
    found = {"parfetch": [], "s5cmd": [], "ratio": []}
    server = serving(context, options)
    try:
        listed_by_s5cmd(context, server, objects)
        for _ in range(context.rounds):
            own, other = listed_by_parfetch(context, server, objects), list_with_s5cmd(context, server, True)
            found["parfetch"].append(own)
            found["s5cmd"].append(objects / (other.wall_ns / 1e9))
            found["ratio"].append(own / found["s5cmd"][-1])
    finally:
        server.close()
    return found


def listed_by_parfetch(context, server, objects):
    """Keys/s of the listing alone; the objects are fetched afterwards, and do not count."""
    context.say("  listing  parfetch")
    arguments = ["--endpoint-url", server.http, "--bucket", "source", "-c", 64]
    summary = context.run(arguments, context.bench.cpus.client, server.environment)
    if summary["totals"]["keys_listed"] != objects:
        raise Wrong(f"parfetch listed {summary['totals']['keys_listed']} keys of {objects}")
    return objects / (summary["phases"]["listing_ns"] / 1e9)


def list_with_s5cmd(context, server, discard):
    context.say("  listing  s5cmd")
    command = [install.s5cmd(context.tools.python), "--endpoint-url", server.http, "ls", "s3://source/*"]
    used = measure.run(command, context.bench.cpus.client, context.bench.environment() | server.environment, discard_stdout=discard)
    if used.code != 0:
        raise Wrong(f"s5cmd ls: exit code {used.code}: {used.stderr.strip()[-400:]}")
    return used


def listed_by_s5cmd(context, server, objects):
    """Whether it lists them all: once, untimed."""
    lines = len(list_with_s5cmd(context, server, False).output.splitlines())
    if lines != objects:
        raise Wrong(f"s5cmd listed {lines} keys of {objects}")


def memory(context):
    """Peak memory (sum of PSS) over 64 MB + 1 MB a worker (12 MB a child), 64 workers, many keys of 1 KiB."""
    objects = 2_000 if context.form == "short" else 10_000_000 if context.form == "full" else 1_000_000
    found = {}
    for mode in MODES:
        context.say(f"  memory  {mode}")
        summary = context.run([f"--embedded=objects={objects},size=1KiB", "-c", 64, "-m", mode, "--client", "lean"])
        if summary["totals"]["rows"]["ok"] != objects:
            raise Wrong(f"memory, {mode}: {summary['totals']['rows']['ok']} rows are ok of {objects}")
        budget = 64 + 64 * (12 if mode == "process" else 1)
        found[mode] = [summary["memory"]["peak_pss_bytes"] / 1e6 / budget]
        found[f"{mode}, MB"] = [summary["memory"]["peak_pss_bytes"] / 1e6]
    return found


class FirstRequest:
    """A server of a bucket with one key that remembers when the first GET of it had arrived."""

    def __init__(self):
        self.at_ns, self.listener = None, socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection):
        with connection:
            head = b""
            while data := connection.recv(65536):
                now, head = time.monotonic_ns(), head + data
                if b"\r\n\r\n" not in head:
                    continue
                is_key = head.startswith(b"GET /bench/one ")
                self.at_ns = self.at_ns or (now if is_key else None)
                body = bytes(16) if is_key else servers.listing("bench", [("one", 16)]).encode()
                connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/xml\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
                head = b""

    def close(self):
        self.listener.close()


def start(context):
    """Milliseconds from just before the process is started until its first GET of an object has arrived, on one CPU: bucket asked for once before, key file of one key."""
    keys = context.folder / "one.tsv"
    keys.write_text("# parfetch-keys 1\none\t16\n", encoding="utf-8")
    found = {"ms": []}
    for _ in range(1 if context.form == "short" else max(context.rounds, 20)):
        server = FirstRequest()
        try:
            command = [context.tools.parfetch, "run", "--endpoint-url", server.endpoint, "--bucket", "bench", "--keys", keys, "--out", context.folder / "out", "-c", 1,
                       "--progress", "never", "--log-level", "error"]
            used = measure.run(command, context.bench.cpus.client, context.bench.environment())
        finally:
            server.close()
        if used.code != 0 or server.at_ns is None:
            raise Wrong(f"start: exit code {used.code}: {used.stderr.strip()[-400:]}")
        found["ms"].append((server.at_ns - used.begun_ns) / 1e6)
    return found


def quota(context):
    """CPU seconds over wall seconds, from outside, under a quota of 0.5 vCPU, of work that is never idle: SHA-256 of one object of 3 GiB."""
    out = context.folder / "quota"
    command = [context.tools.parfetch, "sweep", "--embedded=objects=1,size=3GiB", "--vcpu", "0.5", "-c", 1, "--client", "lean", "--work", "sha256", "--repeat", 3,
               "--contender", f"contender:async=env PARFETCH_WORK=sha256 {context.tools.parfetch} run", "--progress", "never", "--id", "quota", "--out", out]
    used = measure.run(command, None, context.bench.environment(), timeout=3600)
    if used.code != 0:
        context.note(f"no quota: {used.stderr.strip()[-300:]}")
        return None
    found = {}
    for path in sorted(out.glob("sweeps/quota/*/r0[1-9]-*/repetition.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["failure"] is not None:
            raise Wrong(f"quota: {record['failure']['reason']}")
        outside, cell = record["outside"], record["cell"]
        name = f"{next(iter(cell['program'].values()))} {cell['mode']}"
        found.setdefault(name, []).append((outside["cpu_user_ns"] + outside["cpu_sys_ns"]) / outside["wall_ns"])
    return found


PARTS = {"ceiling": ceiling, "start": start, "listing": listing, "s3": s3, "memory": memory, "scale": scale.scale, "quota": quota}
# One needs many minutes, one a machine on which a control group can be made.
NOT_USUAL = {"scale", "quota"}


def words(name, found):
    """The results of a part as a text."""
    return {"ceiling": ceiling_words, "s3": s3_words, "scale": scale.scale_words}.get(name, plain_words)(name, found)


def ceiling_words(_, found):
    rows = []
    for what, values in found.items():
        per_s, server_us = stats.estimate(values["per_s"]), stats.estimate(values["server_us"])
        possible = stats.estimate(1e6 / value for value in values["server_us"] if value)
        gb = stats.estimate(value / 1e9 for value in values["bytes_per_s"])
        rows.append([what, table.with_interval(per_s), table.with_interval(gb), table.with_interval(server_us), table.with_interval(possible)])
    header = ["embedded server, one core, asked by raw x16", "answers/s seen", "GB/s seen", "server CPU µs each", "answers/s at 100 % of its core"]
    return table.text(header, rows)


def s3_words(_, found):
    rows = []
    for mode in MODES:
        at = {}
        for run in found["detail"]:
            if run["mode"] == mode:
                at.setdefault(run["concurrency"], []).append(run["share"])
        rows.append([mode, *(f"x{concurrency} {statistics.median(shares):.3f}" for concurrency, shares in at.items())])
    return table.text(["network=s3: share of what is possible", *("" for _ in rows[0][1:])], rows)


TITLES = {"listing": "listing, keys/s (80 ms a page)", "memory": "peak memory (sum of PSS), 64 workers", "start": "process start to first request",
          "quota": "CPU s / wall s at 0.5 vCPU"}


def plain_words(name, found):
    rows = [[what, table.with_interval(stats.estimate(values), digits=4)] for what, values in found.items()]
    return table.text([TITLES.get(name, name), "median [95 % interval]"], rows)
