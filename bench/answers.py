#!/usr/bin/env python3
"""Holds the answers of real embedded sweeps against the truth: `python3 bench/answers.py PARFETCH [FOLDER]` (a release build, on a machine with nothing else to do).

1. Four sweeps over 300 of 3,000 keys with lognormal sizes and slow first bytes (60 to 100 ms, 400 to 800 ms at the 99th percentile). Each configuration
   then fetches all 3,000 keys for real. The time of that run has to lie in the interval that the sweep stated for it.
2. `sweep --embedded=objects=150,network=s3` with the seeds 1 to 10. Each has to recommend the same configuration, or one that it names as tied with it.

Takes about 40 minutes. Prints a line for each, and ends with 1 when one does not hold. With a FOLDER what was measured stays there, and is not measured
again the next time: another version's `report` can be held against the same measurements.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

PARFETCH = str(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "target/release/parfetch").resolve())
FOLDER = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else tempfile.mkdtemp(prefix="parfetch-answers-"))
STORES = [("60ms", "400ms", 1), ("70ms", "500ms", 2), ("80ms", "650ms", 3), ("100ms", "800ms", 4)]
WORKERS = [16, 64, 128]
KEYS, SAMPLE = 3_000, 300
SEEDS = range(1, 11)


def folder_of(name):
    folder = FOLDER / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def sweep(folder, *words):
    """A sweep that ended is complete in its folder: it is not measured again."""
    name = words[words.index("--id") + 1]
    if not (folder / "measured").exists():
        parfetch(folder, "sweep", *words)
        (folder / "measured").touch()
    return report(folder, name)


def parfetch(folder, *words):
    done = subprocess.run([PARFETCH, *words], cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"parfetch {' '.join(words)}: exit code {done.returncode}\n{done.stderr}")
    return done.stdout


def report(folder, name):
    (study,) = json.loads(parfetch(folder, "report", f"parfetch-results/sweeps/{name}", "--format", "json"))["studies"]
    return study


def truth(folder, store, workers):
    """Seconds of a task that fetches all keys: start-up to write-back."""
    result = folder / f"whole-{workers}" / f"result_whole_async_{workers}.json"
    if not result.exists():
        parfetch(folder, "run", store, "--concurrency", str(workers), "--out", f"whole-{workers}", "--tag", "whole")
    summary = json.loads(result.read_text())
    phases = summary["phases"]
    return sum(phases[name] or 0 for name in ("start_up_ns", "listing_ns", "worker_start_ns", "fetch_ns", "write_back_ns")) / 1e9


def whole_bucket(ttfb, p99, seed):
    held = True
    folder = folder_of(f"whole-{seed}")
    store = f"--embedded=objects={KEYS},size=256KiB,sizes=lognormal,seed={seed},ttfb={ttfb},ttfb-p99={p99}"
    study = sweep(
        folder, store, "--client", "lean", "--mode", "async", "--concurrency", ",".join(map(str, WORKERS)), "--vcpu", "1",
        "--sample", str(SAMPLE), "--repeat", "6", "--id", "sample",
    )
    for cell in study["cells"]:
        workers, interval = cell["cell"]["concurrency"], cell["prediction"]["interval"]
        seconds = truth(folder, store, workers)
        inside = interval["low"] <= seconds <= interval["high"]
        held &= inside
        print(f"ttfb {ttfb}, p99 {p99}, async × {workers}: {seconds:.2f} s, {interval['low']:.2f} to {interval['high']:.2f} s were stated: {'held' if inside else 'MISSED'}", flush=True)
    return held


def same_answer(goal):
    """Each choice of a seed is named by every other seed as its own, or as tied with its own."""
    answers = {}
    for seed in SEEDS:
        study = sweep(folder_of(f"seed-{seed}"), "--embedded=objects=150,network=s3", "--client", "lean", "--seed", str(seed), "--id", "seed")
        (recommendation,) = study["recommendations"]
        choice = recommendation[goal]
        name = lambda place: json.dumps(study["cells"][place]["cell"], sort_keys=True)
        answers[seed] = (name(choice["cell"]), {name(place) for place in choice["tied_with"]}, choice["first_look"])
    looks = sum(look is not None for _, _, look in answers.values())
    chosen = {answer for answer, _, _ in answers.values()}
    agree = all(chosen <= {answer} | tied for answer, tied, _ in answers.values())
    # A first look recommends nothing, so it cannot recommend something else each time.
    held = agree or looks == len(answers)
    word = "held" if agree else "first looks, nothing is recommended" if held else "MISSED"
    print(f"{goal}: {len(chosen)} different choices by {len(answers)} seeds, each tied with the others: {word} ({looks} first looks)")
    return held


def main():
    held = [whole_bucket(*store) for store in STORES]
    held += [same_answer(goal) for goal in ("cheapest", "fastest")]
    sys.exit(not all(held))


if __name__ == "__main__":
    main()
