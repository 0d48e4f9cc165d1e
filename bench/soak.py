#!/usr/bin/env python3
"""Runs parfetch for a long time against a server that injects every fault, and looks whether anything is lost, grows, or is left behind.

    python3 bench/soak.py [--minutes 20] [--share 0.02] [--parfetch PATH]

Each mode goes round the same objects until the time is over. Held at the end, each a line: the account closes (rows of every outcome add up to the
rounds' objects, as summary and CSV say), memory and open files do not grow, and no file, socket or process stays behind. Exit code 1 when one
does not hold.
"""

import argparse
import csv
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

FAULTS = ("reset", "stall", "short", "500", "slowdown", "expired", "missing")
RUNS = (("async", 64), ("process", 16))
OBJECTS = 2_000
# The budgets of the project for parfetch alone; the embedded server has to fit in as well.
MOST_MEMORY = {"async": lambda workers: (64 + workers) * 1_000_000, "process": lambda workers: (64 + 12 * workers) * 1_000_000}
# Between the second and the last quarter of a run: what a queue of rows, a histogram or an allocator may do by chance.
GROWTH = 1.10


def tree(root):
    """The process and all below it: children and the embedded server."""
    children = {}
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except (OSError, IndexError):
            continue
        children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found, queue = [], [root]
    while queue:
        pid = queue.pop()
        found.append(pid)
        queue += children.get(pid, [])
    return found


def memory_and_files(pids):
    """Sum of PSS in bytes and of open files."""
    pss = files = 0
    for pid in pids:
        try:
            rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
            pss += next(int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith("Pss:"))
            files += len(os.listdir(f"/proc/{pid}/fd"))
        except (OSError, StopIteration):
            continue
    return pss, files


def still_there(pids):
    return [pid for pid in pids if pathlib.Path(f"/proc/{pid}").exists()]


def rows_by_outcome(path):
    """Outcome -> rows, and whether any (key, round) stands there twice."""
    outcomes, seen, twice = {}, set(), 0
    with open(path, newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        header = next(rows)
        outcome, round_ = header.index("Outcome"), header.index("Round")
        for row in rows:
            outcomes[row[outcome]] = outcomes.get(row[outcome], 0) + 1
            mark = hash((row[0], row[round_]))
            twice += mark in seen
            seen.add(mark)
    return outcomes, twice


def late_over_early(samples, which):
    """Largest of the last quarter over the largest of the second: the first is start-up."""
    quarter = max(len(samples) // 4, 1)
    early, late = (max(sample[which] for sample in part) for part in (samples[quarter:2 * quarter], samples[-quarter:]))
    return late / early if early else float("inf")


def soak(arguments, mode, workers, folder):
    spool, out = folder / "spool", folder / "out"
    spool.mkdir()
    faults = ",".join(f"fault-{name}={arguments.share}" for name in FAULTS)
    command = [arguments.parfetch, "run", f"--embedded=objects={OBJECTS},size=64KiB,{faults}", "-m", mode, "-c", str(workers), "--duration", f"{arguments.minutes}m",
               "--stall-timeout", "1s", "--spool-dir", str(spool), "--out", str(out), "--progress", "never", "--output", "json"]
    samples, seen, begun = [], set(), time.monotonic()
    with open(folder / "stdout", "wb") as stdout, open(folder / "stderr", "wb") as stderr:
        run = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr)
        while run.poll() is None:
            pids = tree(run.pid)
            seen.update(pids)
            samples.append((time.monotonic() - begun, *memory_and_files(pids)))
            time.sleep(min(5, arguments.minutes * 60 / 40))
    summary = json.loads((folder / "stdout").read_text())
    rows = summary["totals"]["rows"]
    outcomes, twice = rows_by_outcome(out / f"result_run_{mode}_{workers}.csv")
    # Behind the last fetch the rows are put in order and written: with buffers that are bounded, and not those of a run that goes on.
    fetching = [sample for sample in samples if sample[0] < arguments.minutes * 60]
    memory, files = late_over_early(fetching, 1), late_over_early(fetching, 2)
    peak = max(sample[1] for sample in samples)
    fetches = sum(outcomes.values())
    yield f"{fetches:,} rows, exit code {run.returncode}, state {summary['state']}", fetches > 0 and run.returncode in (0, 3)
    yield f"outcomes of the summary {rows}", {name: count for name, count in rows.items() if count} == outcomes
    yield "no key twice in a round", twice == 0
    # A second ExpiredToken ends a fetch, five attempts of other faults as well; four times what chance gives is none of it.
    expected = fetches * (arguments.share ** 2 + (5 * arguments.share) ** 5)
    yield f"failed rows: {rows['failed']}, by chance about {expected:.0f}", rows["failed"] <= 4 * expected + 5
    yield f"memory while fetching, last quarter over the second: {memory:.3f}", memory <= GROWTH
    yield f"open files likewise: {files:.3f}", files <= GROWTH
    yield f"memory at its peak, server and results included: {peak / 1e6:.1f} of {MOST_MEMORY[mode](workers) / 1e6:.0f} MB", peak <= MOST_MEMORY[mode](workers)
    yield f"processes left: {still_there(seen)}", not still_there(seen)
    left = [str(path.relative_to(spool)) for path in spool.rglob("*")]
    yield f"files left in the spool folder: {left}", not left
    yield f"results: {sorted(path.name for path in out.iterdir())}", {path.suffix for path in out.iterdir() if not path.name.startswith(".")} == {".csv", ".json"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--share", type=float, default=0.02, help="probability of each fault (default 0.02)")
    parser.add_argument("--parfetch", default=str(pathlib.Path(__file__).resolve().parent.parent / "target/release/parfetch"))
    arguments = parser.parse_args()
    good = True
    for mode, workers in RUNS:
        print(f"{mode} x {workers}, {arguments.minutes:g} min, each fault {arguments.share:.0%}", flush=True)
        with tempfile.TemporaryDirectory(prefix="parfetch-soak-") as folder:
            for line, holds in soak(arguments, mode, workers, pathlib.Path(folder)):
                print(f"  {'ok ' if holds else 'NOT'} {line}", flush=True)
                good &= holds
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
