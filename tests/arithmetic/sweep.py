#!/usr/bin/env python3
"""Recomputes the arithmetic of a sweep from its CSVs, and compares it with what parfetch reports: `python3 sweep.py FOLDER REPORT.json PRICES.toml`.

REPORT.json is what `parfetch report FOLDER --format json` prints. Rows of the CSVs give rates, tails, percentiles and the whole bucket; of the summaries
only what no row holds is taken: the moment at which the queue was empty, and the seconds of the phases besides fetching. Medians and intervals are
SciPy's. Ends with 1 and a line for each difference beyond rounding.
"""

import csv
import json
import math
import pathlib
import statistics
import sys
import tomllib

from scipy import stats

FOLDER, REPORT, PRICES = (pathlib.Path(argument) for argument in sys.argv[1:4])
ROUNDING = 1e-9
# Percentiles come from histograms of three significant digits.
BUCKETS = 2e-3
# The report takes Student's t from an expansion that is off by less than this.
STUDENT = 2e-3
# With fewer fetches a worker than this, the rate of a run is not that of a longer one.
FEW_FETCHES = 10
WRONG = []


def compare(what, found, expected, within=ROUNDING):
    if found is None or abs(found - expected) > within * max(abs(expected), 1e-12):
        WRONG.append(f"{what}: {found} in the report, {expected} from the rows")


def rows_of(path):
    with open(path, newline="") as file:
        return [row for row in csv.DictReader(file) if row["Outcome"] == "ok"]


def run_of(record_path):
    """One repetition from its rows."""
    record = json.loads(record_path.read_text())
    (csv_path,) = record_path.parent.glob("result_*.csv")
    summary = json.loads(csv_path.with_suffix(".json").read_text())
    rows = rows_of(csv_path)
    ends = [int(row["EndNs"]) for row in rows]
    sizes = [int(row["CalcSize"]) for row in rows]
    fetch_s = max(ends) / 1e9
    window_ns = summary["active_window_ns"]
    in_window = 0.0
    for row, end, size in zip(rows, ends, sizes):
        # Bytes come between the first and the last of a body.
        first = int(row["FirstByteNs"])
        share = 1.0 if end <= window_ns else max(0.0, (window_ns - first) / (end - first))
        in_window += share * size
    return {
        "record": record,
        "rows": rows,
        "bytes": sum(sizes),
        "objects": len(rows),
        "fetch_s": fetch_s,
        "window_s": window_ns / 1e9,
        "window_rate": in_window / (window_ns / 1e9),
        "busy_s": sum(int(row["EndNs"]) - int(row["StartNs"]) for row in rows) / 1e9,
        "ttfb": sorted((int(row["FirstByteNs"]) - int(row["AttemptStartNs"])) / 1e9 for row in rows),
        "phases": {name: (summary["phases"][name] or 0) / 1e9 for name in ("start_up_ns", "worker_start_ns", "write_back_ns")},
        "attempts": sum(int(row["Attempts"]) for row in rows),
    }


def median_interval(values):
    """Order statistics that cover the median with 95 % at least, by the binomial distribution."""
    ordered, n = sorted(values), len(values)
    ranks = [k for k in range(1, n // 2 + 1) if 1 - 2 * stats.binom.cdf(k - 1, n, 0.5) >= 0.95]
    return (ordered[max(ranks) - 1], ordered[n - max(ranks)]) if ranks else None


def check_figure(where, figure, values, within=ROUNDING):
    compare(f"{where} median", figure["median"], statistics.median(values), within)
    interval = median_interval(values)
    if interval:
        compare(f"{where} low", figure["interval"]["low"], interval[0], within)
        compare(f"{where} high", figure["interval"]["high"], interval[1], within)


def whole(run, keys, size):
    """Seconds of fetching for the whole bucket, by bytes and by objects: the tail comes once."""
    tail_s = run["fetch_s"] - run["window_s"]
    window_bytes = min(run["window_rate"] * run["window_s"], run["bytes"])
    if run["window_rate"] < run["bytes"] / run["fetch_s"]:
        tail_s, window_bytes = 0.0, run["bytes"]
    tail_bytes = run["bytes"] - window_bytes
    tail_objects = run["objects"] * (1 - window_bytes / run["bytes"])
    rate = window_bytes / (run["fetch_s"] - tail_s)
    by_objects = window_bytes * (keys - tail_objects) / (run["objects"] - tail_objects)
    return (size - tail_bytes) / rate + tail_s, by_objects / rate + tail_s


def next_run(values):
    """The logarithm of one more value, with 95 %."""
    logs = [math.log(value) for value in values]
    n = len(logs)
    reach = stats.t.ppf(0.975, n - 1) * statistics.stdev(logs) * math.sqrt(1 + 1 / n)
    return math.exp(statistics.mean(logs) - reach), math.exp(statistics.mean(logs) + reach)


def check_bucket(where, cell, runs):
    sweep = runs[0]["record"]["sweep"]
    both = [whole(run, sweep["keys"], sweep["bytes"]) for run in runs]
    fetch_s = statistics.median(math.sqrt(by_bytes * by_objects) for by_bytes, by_objects in both)
    parts = [statistics.median(run["phases"][name] for run in runs) for name in ("start_up_ns", "worker_start_ns", "write_back_ns")]
    fixed_s = sum(parts) + sweep["listing_ns"] / 1e9
    prediction = cell["prediction"]
    compare(f"{where} fetching of the bucket", prediction["fetch_s"], fetch_s)
    compare(f"{where} the bucket", prediction["seconds"], fixed_s + fetch_s)
    ways = [next_run([one for one, _ in both]), next_run([other for _, other in both])]
    workers = cell["cell"]["concurrency"]
    if all(run["objects"] < FEW_FETCHES * workers for run in runs):
        # Each further object takes a worker as long as a fetch takes on the average.
        ways.append(next_run([run["fetch_s"] + (sweep["keys"] - run["objects"]) * run["busy_s"] / run["objects"] / workers for run in runs]))
    compare(f"{where} one run, low", prediction["interval"]["low"], min([low for low, _ in ways] + [fetch_s]) + fixed_s, STUDENT)
    compare(f"{where} one run, high", prediction["interval"]["high"], max([high for _, high in ways] + [fetch_s]) + fixed_s, STUDENT)
    return fixed_s + fetch_s, sweep


def check_price(where, cell, seconds, sweep, runs):
    prices = tomllib.loads(PRICES.read_text())
    task = next(row for row in prices["fargate"] if row["region"] == sweep["region"] and row["arch"] == "x86_64" and "capacity" not in row)
    requests = next(row for row in prices["s3"] if row["region"] == sweep["region"] and row.get("storage_class", "STANDARD") == "STANDARD")
    units, memory_mib = cell["fargate"]
    hours = max(seconds, 60.0) / 3600
    usd_task = hours * (units / 1024 * task["usd_per_vcpu_hour"] + memory_mib / 1024 * task["usd_per_gb_hour"])
    gets = statistics.median(run["attempts"] / run["objects"] for run in runs) * sweep["keys"]
    pages = math.ceil(sweep["keys"] / 1000)
    usd_requests = gets / 1000 * requests["usd_per_1000_get"] + pages / 1000 * requests["usd_per_1000_list"]
    compare(f"{where} price of the task", cell["prediction"]["cost"]["usd_task"], usd_task)
    compare(f"{where} price of the requests", cell["prediction"]["cost"]["usd_requests"], usd_requests)


def main():
    (study,) = json.loads(REPORT.read_text())["studies"]
    for cell in study["cells"]:
        name = f"{cell['cell']['mode']} × {cell['cell']['concurrency']}"
        runs = [run_of(path) for path in sorted(FOLDER.glob("*/r*/repetition.json"))]
        runs = [run for run in runs if run["record"]["repetition"] > 0 and run["record"]["cell"] == cell["cell"]]
        assert len(runs) == len(cell["observations"]) == 6, name
        figures = cell["figures"]
        rates = [run["bytes"] / run["fetch_s"] for run in runs]
        check_figure(f"{name} throughput", figures["throughput"], rates)
        check_figure(f"{name} goodput", figures["goodput"], rates)
        check_figure(f"{name} fetch time", figures["fetch_time"], [run["fetch_s"] for run in runs])
        check_figure(f"{name} active window", figures["active_window"], [run["window_rate"] for run in runs])
        check_figure(f"{name} tail", figures["tail_share"], [1 - run["window_s"] / run["fetch_s"] for run in runs])
        for share, metric in ((0.5, "ttfb_p50"), (0.99, "ttfb_p99")):
            at = [run["ttfb"][math.ceil(share * run["objects"]) - 1] for run in runs]
            check_figure(f"{name} {metric}", figures[metric], at, BUCKETS)
        seconds, sweep = check_bucket(name, cell, runs)
        check_price(name, cell, seconds, sweep, runs)
    for line in WRONG:
        print(line)
    print(f"{len(study['cells'])} configurations, {len(WRONG)} differences")
    sys.exit(bool(WRONG))


if __name__ == "__main__":
    main()
