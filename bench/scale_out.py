#!/usr/bin/env python3
"""100 million objects on 1 to 10,000 tasks: what listing, key files, fetching and results take, and what breaks first.

Computed, not measured at that size. From crates/core/data/prices.toml, from figures that were measured on smaller runs (MEASURED; bench/README.md says where and how)
and from assumptions (ASSUMED, with their sources). `parfetch submit --dry-run` uses the same assumptions for a bucket of yours.

    python3 bench/scale_out.py            prints the tables
    python3 bench/scale_out.py --check    whether docs/scale.md has them as they are printed
    python3 bench/scale_out.py --write    puts them there
"""

import argparse
import math
import pathlib
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "scale.md"
BEGIN, END = "<!-- figures -->", "<!-- end -->"

# The workload: 250 TB in 100 million objects of 2.5 MB.
OBJECTS = 100_000_000
BYTES = 250_000_000_000_000
REGION, ARCH, STORAGE = "us-east-1", "x86_64", "STANDARD"
# A task.
VCPU, MEMORY_GB, CONCURRENCY = 2.0, 4.0, 64
TASKS = (1, 10, 100, 1_000, 10_000)
# vCPU that an account may run at once: a new one, and one that asked for more.
QUOTAS = (6, 4_000)
# Launches of Fargate tasks for an account in a region: at once, and each second from then on.
BURST, LAUNCHES_PER_S = 100, 20.0
# Folders with as many keys each, read side by side by contiguous shards.
FOLDERS = 1_000

# bench/README.md, 2026-11-21, two CPUs of one machine.
MEASURED = {
    "CPU of a GET over https, its first 16 KiB in it, s": 16.1e-6,
    "CPU of a byte over https, s": 0.221e-9,
    "keys listed per second, 80 ms per page, 200 prefixes": 176_257.0,
    "keys written per second, CSV and summary": 1_110_000.0,
    "bytes of CSV for a key of 31 characters": 106.3,
    "bytes of temporary disk for a key": 213.0,
    "peak memory of async × 64, MB": 17.4,
}
# A line of a key file: 31 characters, size of 7 digits, ETag of 32, class of 8, separators.
KEY_LINE = 31 + 7 + 32 + 8 + 4
# research: S3 user guide, Fargate's documentation and what people measured.
ASSUMED = {
    "bytes per second of one connection (S3 user guide: one request per 85 to 90 MB/s)": 90e6,
    "seconds to the first byte": 0.02,
    "bytes per second of a task's network (5 Gbit/s; AWS publishes none)": 625e6,
    "seconds paid in addition to fetching: image, start, results": 30.0,
    "GETs per second that S3 serves for each prefix (S3 user guide)": 5_500.0,
    "seconds to store one key file, 16 at once": 0.05,
    "disk of a Fargate task, bytes (20 GiB)": 20 * 2**30,
    "times as long that a slow task takes (people saw Fargate tasks 30 % apart)": 1.3,
    "times as long where its network gives half of that for long": 2.0,
}
CPU_GET, CPU_BYTE, LIST_RATE, WRITE_RATE, CSV_KEY, DISK_KEY, PEAK_MB = MEASURED.values()
CONNECTION, FIRST_BYTE, NETWORK, BESIDE, PREFIX_GETS, STORE_S, DISK, SLOW_TASK, SLOW_NETWORK = ASSUMED.values()
MINIMUM_S = 60.0


def prices():
    table = tomllib.loads((ROOT / "crates/core/data/prices.toml").read_text())
    task = next(row for row in table["fargate"] if (row["region"], row["arch"]) == (REGION, ARCH))
    s3 = next(row for row in table["s3"] if (row["region"], row["storage_class"]) == (REGION, STORAGE))
    return table["dated"], task, s3


def task_time(keys, size):
    """Seconds that one task fetches, those of a slow one, and what sets the former: as crates/core/src/speed.rs and src/submit/forecast.rs."""
    bounds = {
        "connections": (keys * FIRST_BYTE + size / CONNECTION) / min(CONCURRENCY, max(keys, 1)),
        "network": size / NETWORK,
        "CPU": (keys * CPU_GET + size * CPU_BYTE) / VCPU,
    }
    what = max(bounds, key=bounds.get)
    slow = max(seconds * (SLOW_NETWORK if name == "network" else SLOW_TASK) for name, seconds in bounds.items())
    return (bounds[what], slow), what


def starts_s(tasks):
    """Seconds until the last task is started."""
    return max(0, tasks - BURST) / LAUNCHES_PER_S


def task_usd(task, seconds):
    hours = max(math.ceil(seconds), MINIMUM_S) / 3600
    return hours * (VCPU * task["usd_per_vcpu_hour"] + MEMORY_GB * task["usd_per_gb_hour"])


def row(tasks):
    dated, task, s3 = prices()
    keys, size = OBJECTS / tasks, BYTES / tasks
    times, bound = task_time(keys, size)
    seconds = times[0]
    writing = keys / WRITE_RATE
    lists = math.ceil(OBJECTS / 1_000)
    puts = tasks + 2 + 3 * tasks
    requests = (OBJECTS + tasks) * s3["usd_per_1000_get"] / 1e3 + (lists + puts) * s3["usd_per_1000_list"] / 1e3
    # Contiguous shards are in different folders as long as there are more folders than tasks.
    rate = tasks * keys / seconds
    hottest = rate / min(tasks, FOLDERS)
    each = [BESIDE + one + writing for one in times]
    price = [tasks * task_usd(task, one) for one in each]
    return {
        "tasks": tasks,
        "list_s": OBJECTS / LIST_RATE,
        "manifest_s": OBJECTS / WRITE_RATE + tasks * STORE_S / 16,
        "manifest": OBJECTS * KEY_LINE,
        "file": keys * KEY_LINE,
        "keys": keys,
        "bytes": size,
        "fetch_s": times,
        "bound": bound,
        "rate": rate,
        "hottest": hottest,
        "csv": keys * CSV_KEY,
        "disk": keys * (DISK_KEY + CSV_KEY + KEY_LINE),
        "elapsed": {quota: [max(math.ceil(tasks / max(1, min(tasks, quota // VCPU))) * one, starts_s(tasks) + one) for one in each] for quota in QUOTAS},
        "free_s": [starts_s(tasks) + one for one in each],
        "usd_tasks": price,
        "usd_requests": requests,
        "breaks": breaks(tasks, (times[1], writing), hottest, keys),
    }


def breaks(tasks, times, hottest, keys):
    """What gives first as tasks are added, or what is wrong with so few."""
    disk = keys * (DISK_KEY + CSV_KEY + KEY_LINE)
    seconds = sum(times) + BESIDE
    if disk > DISK:
        return f"disk of the task: {si(disk, 'B')} of {si(DISK, 'B')}"
    if seconds > 86_400:
        return "a job ends after a day (the template's time-out)"
    if hottest > PREFIX_GETS:
        return f"S3: {hottest:,.0f} GET/s of a folder, 5,500 are served"
    if tasks * VCPU > QUOTAS[-1]:
        return f"quota: {tasks * VCPU:,.0f} vCPUs at once, {QUOTAS[-1]:,} allowed; they run in turns"
    if seconds < MINIMUM_S:
        return "the minute that is paid at least"
    return f"quota of a new account: {tasks * VCPU:,.0f} vCPUs at once, {QUOTAS[0]} allowed" if tasks * VCPU > QUOTAS[0] else "nothing"


def si(value, unit):
    for factor, prefix in ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= factor:
            return f"{value / factor:,.3g} {prefix}{unit}" if value / factor < 1000 else f"{value / factor:,.0f} {prefix}{unit}"
    return f"{value:,.0f} {unit}"


def time(seconds):
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    if seconds < 5_940:
        return f"{seconds / 60:.0f} min"
    if seconds < 172_800:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 86_400:.1f} d"


def span(values, form):
    """From the least to the most, or the one where both read alike."""
    least, most = (form(value) for value in values)
    return least if least == most else f"{least} to {most}"


def table(heads, rows):
    # Numbers to the right, names and remarks to the left.
    sides = ["---|" if heads[0] == "what" else "---:|", *["---:|"] * (len(heads) - 2), "---|"]
    lines = ["| " + " | ".join(heads) + " |", "|" + "".join(sides)]
    return "\n".join(lines + ["| " + " | ".join(cells) + " |" for cells in rows])


def page():
    dated, task, s3 = prices()
    rows = [row(tasks) for tasks in TASKS]
    lists = math.ceil(OBJECTS / 1_000)
    once = rows[0]
    parts = [
        f"{OBJECTS:,} objects, {si(BYTES, 'B')}; tasks of {VCPU:g} vCPUs and {MEMORY_GB:g} GB, async × {CONCURRENCY}, `lean`, https; prices of {dated}, {REGION}.",
        "",
        "Once, whatever the number of tasks:",
        "",
        table(
            ("what", "figure", "from"),
            (
                ("listing, 32 streams of pages", time(once["list_s"]), f"{LIST_RATE:,.0f} keys/s measured at 80 ms per page: {lists:,} LIST"),
                ("price of the listing", f"${lists * s3['usd_per_1000_list'] / 1e3:.2f}", "a hash in each child costs that times the number of tasks"),
                ("key files, together", si(once["manifest"], "B"), f"{KEY_LINE} bytes per key of 31 characters"),
                ("temporary disk of `submit`", si(OBJECTS * (KEY_LINE - 4 + 20), "B"), "the listing on disk: 12 bytes per record and 8 per offset, in addition to its texts"),
                ("peak memory of a task", f"{PEAK_MB:g} MB", "measured at 10⁷ keys, and it does not grow with them"),
                ("peak memory of `submit` until the end", "44 MB", "resident set of an unoptimised build, measured at 10⁵ and at 10⁶ keys with 10,000 shards"),
                ("peak memory of 10,000 summaries put together", "about 200 MB", "measured by the test `ten_thousand_shards`; 8 bytes come on top for each task and second"),
                ("GETs", f"${OBJECTS * s3['usd_per_1000_get'] / 1e3:,.0f}", f"{OBJECTS:,} at ${s3['usd_per_1000_get']} a thousand"),
            ),
        ),
        "",
        "By the number of tasks:",
        "",
        table(
            ("tasks", "keys of a task", "bytes", "key file", "cut and stored in", "fetching", "set by", "GET/s in all", f"of a folder ({FOLDERS:,})", "CSV", "disk of a task"),
            [
                (
                    f"{r['tasks']:,}",
                    f"{r['keys']:,.0f}",
                    si(r["bytes"], "B"),
                    si(r["file"], "B"),
                    time(r["manifest_s"]),
                    span(r["fetch_s"], time),
                    r["bound"],
                    f"{r['rate']:,.0f}",
                    f"{r['hottest']:,.0f}",
                    si(r["csv"], "B"),
                    si(r["disk"], "B"),
                )
                for r in rows
            ],
        ),
        "",
        table(
            ("tasks", "all started", *(f"{quota:,} vCPUs at once" for quota in QUOTAS), "tasks, $", "requests, $", "what breaks first"),
            [
                (
                    f"{r['tasks']:,}",
                    span(r["free_s"], time),
                    *(span(r["elapsed"][quota], time) for quota in QUOTAS),
                    span(r["usd_tasks"], "{:,.0f}".format),
                    f"{r['usd_requests']:,.0f}",
                    r["breaks"],
                )
                for r in rows
            ],
        ),
        "",
        "Measured (bench/README.md, two CPUs of one machine):",
        "",
        *(f"- {name}: {value:g}" for name, value in MEASURED.items()),
        "",
        "Assumed:",
        "",
        *(f"- {name}: {value:g}" for name, value in ASSUMED.items()),
    ]
    return "\n".join(parts)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with docs/scale.md")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/scale.md")
    asked = parser.parse_args()
    text = page()
    if not (asked.check or asked.write):
        print(text)
        return 0
    kept = PAGE.read_text()
    before, rest = kept.split(BEGIN)
    _, after = rest.split(END)
    new = f"{before}{BEGIN}\n{text}\n{END}{after}"
    if asked.write:
        PAGE.write_text(new)
        return 0
    if new != kept:
        print("docs/scale.md is not what bench/scale_out.py prints: python3 bench/scale_out.py --write", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
