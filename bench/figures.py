#!/usr/bin/env python3
"""Figures of parfetch that depend on the machine, so that no test asserts them: run it on a quiet one.

    cargo build --release && python3 bench/figures.py [cpu|s3|memory|quota]...

cpu     CPU per request of `lean` against `sdk`, 16 KiB objects over loopback: median of 5 interleaved runs each.
s3      active-window requests/s against concurrency / mean service time as the embedded server logged it (network=s3), every mode and client.
memory  1,000,000 keys of 1 KiB at concurrency 64, async and process: peak memory against 64 MB + 1 MB (12 MB) a worker, and all rows there.
quota   CPU seconds / wall seconds under a quota of 0.5 vCPU, from outside, of work that is never idle (SHA-256 of one 3 GiB object): parfetch in each
        mode, and a contender. Needs a machine on which a control group can be made.

Needs nothing but Python's own library.
"""

import csv
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

PARFETCH = pathlib.Path(__file__).resolve().parent.parent / "target" / "release" / "parfetch"
MODES = ("async", "thread", "process")
CLIENTS = ("lean", "sdk")


def run(server, concurrency, mode, client, out):
    """One run against the embedded server; its summary."""
    command = [PARFETCH, "run", f"--embedded={server}", "-c", str(concurrency), "-m", mode, "--client", client,
               "--output", "json", "--progress", "never", "--out", out]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def cpu(out):
    print("CPU of the fetch phase per request, 16 KiB, async x 16 (median, min-max of 5)")
    figures = {client: [] for client in CLIENTS}
    for _ in range(5):
        for client in CLIENTS:
            figures[client].append(run("objects=20000,size=16KiB", 16, "async", client, out)["cpu"]["us_per_request"])
    for client, values in figures.items():
        print(f"  {client:5} {statistics.median(values):6.1f} us   {min(values):.1f}-{max(values):.1f}")
    ratio = statistics.median(a / b for a, b in zip(figures["lean"], figures["sdk"]))
    print(f"  lean / sdk, median of pairs: {ratio:.2f} (at most 0.40)")


def s3(out):
    print("active-window requests/s / (concurrency / mean service time), network=s3, 256 KiB")
    for mode in MODES:
        for client in CLIENTS:
            cells = []
            for concurrency in (1, 2, 4, 8, 16):
                summary = run(f"objects={100 * concurrency + 100},network=s3", concurrency, mode, client, out)
                server = summary["server"]
                possible = concurrency / (server["service_time"]["mean_ns"] / 1e9)
                share = summary["rates"]["active_window_fetches_per_s"] / possible
                busy = server["cpu_ns"] / server["wall_ns"] / server["threads"]
                cells.append(f"x{concurrency} {share:.3f}" + ("" if busy < 0.7 else f" (server {busy:.0%} busy)"))
            print(f"  {mode:7} {client:4}  " + "  ".join(cells))


def memory(out):
    print("1,000,000 keys of 1 KiB, concurrency 64")
    for mode, each in (("async", 1), ("process", 12)):
        summary = run("objects=1000000,size=1KiB", 64, mode, "lean", out)
        with open(pathlib.Path(out) / f"result_run_{mode}_64.csv", newline="", encoding="utf-8") as file:
            ok = sum(row[3] == "ok" for row in csv.reader(file))
        peak, budget = summary["memory"]["peak_pss_bytes"] / 1e6, 64 + 64 * each
        print(f"  {mode:7} peak memory (sum of PSS) {peak:.1f} MB (at most {budget}), {ok:,} rows ok, fetch {summary['phases']['fetch_ns'] / 1e9:.1f} s")


def quota(out):
    print("CPU seconds / wall seconds, whole program, 0.5 vCPU by quota, SHA-256 of one object of 3 GiB (3 repetitions)")
    contender = f"contender:async=env PARFETCH_WORK=sha256 {PARFETCH} run"
    command = [PARFETCH, "sweep", "--embedded=objects=1,size=3GiB", "--vcpu", "0.5", "-c", "1", "--client", "lean", "--work", "sha256",
               "--repeat", "3", "--contender", contender, "--progress", "never", "--id", "quota", "--out", out]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True)
    ratios = {}
    for path in sorted(pathlib.Path(out).glob("sweeps/quota/*/r0[1-9]-*/repetition.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        outside, program = record["outside"], next(iter(record["cell"]["program"].values()))
        assert record["failure"] is None, record["failure"]
        busy = (outside["cpu_user_ns"] + outside["cpu_sys_ns"]) / outside["wall_ns"]
        ratios.setdefault((program, record["cell"]["mode"]), []).append(busy)
    for (program, mode), values in ratios.items():
        print(f"  {program:9} {mode:7} {statistics.median(values):.3f}   {min(values):.3f}-{max(values):.3f} (0.5 +- 0.03)")


def main():
    names = sys.argv[1:] or ["cpu", "s3", "memory", "quota"]
    with tempfile.TemporaryDirectory() as out:
        for name in names:
            {"cpu": cpu, "s3": s3, "memory": memory, "quota": quota}[name](out)


if __name__ == "__main__":
    main()
