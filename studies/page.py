"""What came out of the studies, next to what they said. usage: page.py RESULTS NAME… [--write]; exit code 1 when a figure is off.

It reads the records, summaries and CSVs that `parfetch sweep` left in RESULTS/sweeps/STUDY.PLAN, and the spans that servers wrote into RESULTS/spans/STUDY.PLAN.
Times are seconds; a sleep is 1 s where nothing else is said."""
import collections
import csv
import json
import pathlib
import statistics
import sys

HERE = pathlib.Path(__file__).parent
csv.field_size_limit(1 << 24)


class Repetition:
    """One repetition: its configuration, and the rows of its client."""

    def __init__(self, path, spans):
        record = json.loads(path.read_text())
        cell = record["cell"]
        self.failure = record["failure"] and record["failure"]["reason"]
        self.number, self.attempt = record["repetition"], record["attempt"]
        self.program = next(iter(cell["program"].values()))
        self.concurrency, self.mode = cell["concurrency"], cell["mode"]
        self.factors = cell.get("factors", {})
        self.server = record.get("started_server") or {}
        self.fetch_s = (record["contender"] or {}).get("fetch_ns", 0) / 1e9
        self.rows, self.side_by_side, self.spans = [], None, None
        log = path.parent / "server" / "stderr.log"
        self.server_log = log.read_text(errors="replace") if log.exists() else ""
        for file in path.parent.glob("result_*.csv"):
            with open(file, newline="") as text:
                self.rows = list(csv.DictReader(text))
        for file in path.parent.glob("result_*.json"):
            summary = json.loads(file.read_text())
            self.side_by_side = summary["rates"]["served_side_by_side"]
            lines = (spans / summary["tag"]).read_text().splitlines() if (spans / summary["tag"]).exists() else []
            self.spans = [(pid, int(start) / 1e9, int(end) / 1e9) for pid, _, start, end in map(str.split, lines)]
        if not self.fetch_s and self.rows:
            self.fetch_s = float(next(iter(self.rows[0])).split("= ")[1].split(")")[0])

    def of(self, kind=None, outcome="ok"):
        return [row for row in self.rows if outcome in (None, row.get("Outcome")) and kind in (None, row.get("Kind"))]

    def ends(self, kind=None):
        return sorted(int(row["EndNs"]) / 1e9 for row in self.of(kind) if row["EndNs"])

    def total(self):
        return max(self.ends(), default=0.0)

    def fastest(self):
        return min([(int(row["EndNs"]) - int(row["StartNs"])) / 1e9 for row in self.of()], default=float("nan"))

    def each(self):
        """How long a request takes in the middle."""
        return statistics.median([(int(row["EndNs"]) - int(row["StartNs"])) / 1e9 for row in self.of()] or [float("nan")])

    def served(self):
        """Start and end of each request on the server's own clock, by process."""
        if self.spans is not None:
            return sorted(self.spans, key=lambda span: span[1])
        spans = [(row["ServerPid"], int(row["ServerStartNs"]) / 1e9, int(row["ServerEndNs"]) / 1e9) for row in self.of() if row.get("ServerEndNs")]
        return sorted(spans, key=lambda span: span[1])

    def most_at_once(self, each_process=False):
        """The most requests that the server had in hand at one moment, together or in the process that had most."""
        groups = collections.defaultdict(list)
        for pid, start, end in self.served():
            groups[pid if each_process else None].append((start, end))
        most = 0
        for spans in groups.values():
            events = sorted([(start, 1) for start, _ in spans] + [(end, -1) for _, end in spans])
            now = 0
            for _, step in events:
                now += step
                most = max(most, now)
        return most

    def pids(self):
        return len({row["ServerPid"] for row in self.of()})

    def threads(self):
        return len({(row["ServerPid"], row["ServerTid"]) for row in self.of()})

    def spread(self, at):
        """Last minus first start (1) or end (2) of the scripts."""
        moments = [span[at] for span in self.served()]
        return max(moments) - min(moments) if moments else float("nan")


def load(results, study, plan):
    """The last attempt of each repetition that counts."""
    found = {}
    for path in sorted((results / "sweeps" / f"{study}.{plan}").glob("*/r*/repetition.json")):
        one = Repetition(path, results / "spans" / f"{study}.{plan}")
        key = (path.parent.parent.name, one.number)
        if one.number > 0 and (key not in found or one.attempt > found[key].attempt):
            found[key] = one
    return list(found.values())


def where(repetitions, program=None, concurrency=None, **factors):
    return [one for one in repetitions if program in (None, one.program) and concurrency in (None, one.concurrency)
            and all(one.factors.get(name) == value for name, value in factors.items())]


def middle(repetitions, value):
    values = [value(one) for one in repetitions if not one.failure]
    return statistics.median(values) if values else float("nan")


def side_by_side(group):
    """parfetch's own estimate from the client's side: good answers × the fastest ÷ the time of all."""
    return middle(group, lambda one: one.side_by_side)


def listed(values):
    return ", ".join(f"{value:.2f}" for value in values)


def between(low, value, high):
    return low <= value <= high


def steps(ends, sleep=1.0):
    """Whether the k-th ends after about k sleeps."""
    return bool(ends) and all(between(sleep * k * 0.95, end, sleep * k * 1.2 + 0.8) for k, end in enumerate(ends, 1))


def together(ends, sleep=1.0):
    return bool(ends) and between(sleep * 0.95, ends[0], sleep * 1.6 + 0.4) and ends[-1] - ends[0] < sleep * 0.5


def fastapi_ten(found):
    for server in ("uvicorn", "gunicorn"):
        for endpoint in ("sync", "async"):
            group = where(found, server=server, endpoint=endpoint)
            total, most, guess = middle(group, Repetition.total), middle(group, Repetition.most_at_once), side_by_side(group)
            ok = most == 10 and between(1, total, 1.9) and between(5, guess, 10.1)
            yield f"10 at once, `/{endpoint}`, {server}, 1 worker", "all together, one sleep", "1.06 to 1.07 s", f"{total:.2f} s, {most:.0f} at the same time; estimate {guess:.1f}", ok


def flask_ten(found):
    ends = [statistics.median(values) for values in zip(*(one.ends() for one in found if not one.failure))]
    most, guess = middle(found, Repetition.most_at_once), side_by_side(found)
    # Under load the fastest is slower than a sleep, and the estimate higher by as much.
    in_sleeps = guess / middle(found, Repetition.fastest)
    ok = len(ends) == 10 and most == 1 and steps(ends) and between(0.7, in_sleeps, 1.05)
    yield "10 at once, Flask, gunicorn with 1 sync worker", "one at a time: the k-th ends after k sleeps", "10.08 s in all", f"{listed(ends)}; estimate {guess:.1f}", ok


def fastapi_thousand(found):
    said = {"1": "not run", "3": "not run", "5": "9.2 s (uvicorn), 7.1 s (gunicorn)"}
    for server in ("uvicorn", "gunicorn"):
        for workers in ("1", "3", "5"):
            group = where(found, server=server, endpoint="sync", workers=workers)
            total, most, guess = middle(group, Repetition.total), middle(group, Repetition.most_at_once), side_by_side(group)
            # The estimate takes the fastest for a sleep: under load it is slower, and the estimate higher by as much.
            fastest = middle(group, Repetition.fastest)
            each = middle(group, lambda one: one.most_at_once(True))
            ok = each == 40 and 40 <= most <= 40 * int(workers) and (workers != "1" or between(25, total, 28) and between(36, guess / fastest, 40))
            yield (f"1,000 at once, `/sync`, {server}, {workers} workers", f"at most {40 * int(workers)} at the same time: 40 in a process" + (", 25 steps" if workers == "1" else ""),
                   said[workers], f"{total:.1f} s; at most {most:.0f}, {each:.0f} in a process; estimate {guess:.1f}, the fastest took {fastest:.2f} s", ok)
        for workers in ("1", "3", "5"):
            group = where(found, server=server, endpoint="async", workers=workers)
            total, most, guess = middle(group, Repetition.total), middle(group, Repetition.most_at_once), side_by_side(group)
            yield (f"1,000 at once, `/async`, {server}, {workers} workers", "one sleep, and the time to connect; no limit", "1.25 s (uvicorn), 1.23 s (gunicorn)" if workers == "5" else "not run",
                   f"{total:.1f} s; at most {most:.0f} at the same time; estimate {guess:.0f}", between(1, total, 3) and most > 600 and guess > 400)


def fastapi_computing(found):
    for endpoint, expected in (("cpu", "both end together, after twice the time of one"), ("cpu_async", "steps of the time of one alone"), ("blocking", "steps of one sleep")):
        alone = middle(where(found, concurrency=1, endpoint=endpoint), Repetition.each)
        pairs = [one.ends() for one in where(found, concurrency=2, endpoint=endpoint) if len(one.ends()) == 2]
        first, last = (statistics.median(ends) for ends in zip(*pairs)) if pairs else (float("nan"),) * 2
        ok = between(1.5, last / alone, 2.8) and (first > 0.75 * last if endpoint == "cpu" else between(0.35, first / last, 0.68))
        said = {"cpu": "all get slower", "cpu_async": "requests wait", "blocking": "requests wait"}[endpoint]
        yield f"`/{endpoint}`, uvicorn, 1 and 2 at once", expected, said, f"alone {alone:.2f} s; two: {first:.2f}, {last:.2f} s", ok


def fastapi_post(found):
    one, two = (middle(where(found, concurrency=count), Repetition.total) for count in (1, 2))
    most = [middle(where(found, concurrency=count), Repetition.most_at_once) for count in (1, 2)]
    yield "2 POSTs of JSON, one after the other and at once", "two sleeps, then one", "limited by the GPU: 1335 s, then 1350 s", f"{one:.2f}, {two:.2f} s", most == [1, 2] and between(1.9, one, 3.5) and between(0.95, two, 1.9)


def fastapi_killed(found):
    # Where no request is answered, the repetition has rows and no rate: it counts as failed, and that is what must come out.
    failed = [len(one.of(outcome="failed")) for one in found]
    codes = sorted({row["ErrorCodes"] for one in found for row in one.of(outcome="failed")})
    killed = [one.server_log.count("WORKER TIMEOUT") for one in found if one.failure]
    ok = len(failed) == 3 and min(failed) >= 1 and all(len(one.rows) == 3 for one in found) and all(killed)
    yield "gunicorn `-t 2`, 3 requests of 5 s that block", "the worker is killed; the failures are rows", "“often”", f"{listed_whole(failed)} of 3 failed ({', '.join(codes)})", ok


def listed_whole(values):
    return ", ".join(str(value) for value in values) or "none"


def gradio_clicks(found):
    for limit in ("1", "3"):
        ends = median_ends(where(found, "clicks", style="sync", limit=limit))
        yield f"3 clicks, `def`, limit {limit}", "steps" if limit == "1" else "together", "the limit holds", listed(ends), len(ends) == 3 and (steps(ends) if limit == "1" else together(ends))
    group = where(found, "clicks-and-gets", style="sync", limit="1")
    gets, clicks = median_ends(group, "get"), median_ends(group, "click")
    yield "3 clicks and 3 GETs, `def`, limit 1", "the GETs do not know the limit", "the same", f"GETs {listed(gets)}; clicks {listed(clicks)}", together(gets) and steps(clicks)
    group = where(found, "clicks-and-gets", style="async", limit="1")
    gets, clicks = median_ends(group, "get"), median_ends(group, "click")
    ok = len(gets) == len(clicks) == 3 and steps(gets) and gets[-1] < clicks[0] and between(5, clicks[-1], 8)
    yield "3 clicks and 3 GETs, `async def`, limit 1", "one after the other, the GETs first", "the API is served first", f"GETs {listed(gets)}; clicks {listed(clicks)}", ok
    ends = median_ends(where(found, "rest", style="sync", limit="1"))
    yield "3 POSTs of `/gradio_api/run`, limit 1", "no queue: together", "not run", listed(ends), together(ends)


def median_ends(group, kind=None):
    return [statistics.median(values) for values in zip(*(one.ends(kind) for one in group if not one.failure))]


def streamlit_sessions(found):
    said = {4: "spread 0.2 s", 100: "spread 5 s", 200: "spread 10 s"}
    for watcher in ("none", "auto"):
        for count in (4, 100, 200):
            group = where(found, concurrency=count, watcher=watcher)
            pids, threads, most = (middle(group, value) for value in (Repetition.pids, Repetition.threads, Repetition.most_at_once))
            start, end = middle(group, lambda one: one.spread(1)), middle(group, lambda one: one.spread(2))
            yield (f"{count} sessions, sleep 10 s, watcher {watcher}", "one process, a thread each, all at the same time", f"1 pid, {count} threads, {said[count]}" if watcher == "auto" else "not run",
                   f"{pids:.0f} pid, {threads:.0f} threads, {most:.0f} at once; starts within {start:.2f} s, ends within {end:.2f} s; sessions {middle(group, Repetition.total):.1f} s",
                   (pids, threads) == (1, count) and most >= 0.95 * count)
    for count, said in ((100, "open question (24 s and 12 s when it was measured first)"), (200, "open question")):
        none, auto = (middle(where(found, concurrency=count, watcher=watcher), Repetition.total) - 10 for watcher in ("none", "auto"))
        yield (f"{count} sessions: what spreads their ends", "the watcher of files: without it, they end less than half as late after the sleep", said,
               f"the last ends {auto:.1f} s after its sleep with the watcher, {none:.1f} s without", none < auto / 2)


def streamlit_long(found, sessions):
    for watcher in ("none", "auto"):
        short, long = (middle(where(group, concurrency=100, watcher=watcher), lambda one: one.spread(2)) for group in (sessions, found))
        yield (f"100 sessions, sleep 10 s and 30 s, watcher {watcher}", "the spread does not grow with the sleep: three times the sleep, less than twice the spread",
               "5 s for 10 and for 30 s" if watcher == "auto" else "not run", f"ends within {short:.2f} s and {long:.2f} s", long < 2 * short)


def s3_fetch(found):
    for program, mode in (("lean", "thread"), ("python", "thread"), ("python", "process")):
        times = [middle([one for one in where(found, program, count) if one.mode == mode], lambda one: one.fetch_s) for count in (1, 4, 16)]
        yield f"500 objects, {program}, {mode} × 1, 4, 16", "more workers are faster, until the CPU is used", "the study’s matrix", listed(times) + " s", times[1] < times[0]


STUDIES = {
    "fastapi": {"ten-at-once": fastapi_ten, "thousand-at-once": fastapi_thousand, "computing": fastapi_computing, "post": fastapi_post, "killed-worker": fastapi_killed},
    "flask": {"ten-at-once": flask_ten},
    "gradio": {"clicks": gradio_clicks},
    "streamlit": {"sessions": streamlit_sessions, "long-sleep": (streamlit_long, "sessions")},
    "s3": {"fetch": s3_fetch},
}


def page(results, names):
    lines, off = [], []
    for study in names:
        for plan, figures in STUDIES[study].items():
            found = load(results, study, plan)
            if not found:
                continue
            about = (HERE / study / f"{plan}.toml").read_text().splitlines()[0].lstrip("# ")
            lines += ["", f"## {study}: {plan}", "", f"{about} [{study}/{plan}.toml]({study}/{plan}.toml)", "", "<!-- figures -->", "| experiment | must come out | the study said | came out here | |", "|---|---|---|---|---|"]
            # Some are compared with another plan.
            function, *others = figures if isinstance(figures, tuple) else (figures,)
            for title, expected, said, came_out, ok in function(found, *(load(results, study, other) for other in others)):
                lines.append(f"| {title} | {expected} | {said} | {came_out} | {'as expected' if ok else '**off**'} |")
                if not ok:
                    off.append(f"{study} {plan}: {title}: {came_out} ({expected})")
            lines.append("<!-- end -->")
            failures = collections.Counter(one.failure for one in found if one.failure)
            lines += [f"\n{count} of {len(found)} repetitions failed: {reason}" for reason, count in failures.items()]
    return lines, off


HEAD = """# The studies, made again

parfetch comes from four studies of programs that wait: of S3, of FastAPI and Flask, of Gradio, and of
Streamlit. This folder has their servers, and a plan for each experiment. `studies/run.sh NAME` makes a study
again: it installs the pinned packages into a cache folder, runs the plans of `studies/NAME/`, and says what
came out. Exit code 1 means that a figure is off. `.ci/run` makes the short plans of FastAPI and Flask. All five
studies take about 40 minutes on two busy CPUs: `studies/run.sh`.

FastAPI and Flask are asked by `parfetch sweep URL` itself. Their servers write when each answer began and ended. So how
many answers were in work at the same time is read off the server's own clock. *Estimate* is parfetch's own figure for
it, from the client's side (*served side by side*).

This page is written by `studies/page.py RESULTS NAME… --write` from such results. A sleep is 1 s where
nothing else is said. Where a table has one figure of several repetitions, it is their median. Client and server had one vCPU each.

The open question of the study of Streamlit was what spreads the ends of its sessions. It is not the sleep: without
Streamlit's watcher of files (`--server.fileWatcherType none`), three times the sleep gives about the same spread. It is the
watcher: with it, sessions end much later after their sleep.

Streamlit and the queue of Gradio are no plain GET. Their clients are [contenders](../docs/contenders.md) in `studies/clients/`,
and the servers are [servers of the sweep](../docs/servers.md)."""


def main():
    words = [word for word in sys.argv[1:] if word != "--write"]
    results, names = pathlib.Path(words[0]), words[1:] or list(STUDIES)
    lines, off = page(results, names)
    text = "\n".join([HEAD, *lines]) + "\n"
    if "--write" in sys.argv:
        (HERE / "README.md").write_text(text)
    else:
        print("\n".join(lines))
    for line in off:
        print(f"off: {line}", file=sys.stderr)
    sys.exit(1 if off or not lines else 0)


if __name__ == "__main__":
    main()
