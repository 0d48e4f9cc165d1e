"""What the ready contenders share: the variables of the contract, the keys, the rows with their times, the CSV, and a line of JSON about the run.

docs/contenders.md describes the contract. Two variables are more than it asks for: `KEY_FILE` is a key file of parfetch to read instead of listing the
bucket, and `PARFETCH_OUT=-` writes no CSV.
"""

import csv
import io
import json
import os
import resource
import time
import urllib.parse

import botocore.session
from botocore.config import Config

HEAD = ("Size", "CalcSize", "StartNs", "FirstByteNs", "EndNs", "Pid", "Tid")
now_ns = time.monotonic_ns


class Settings:
    """The variables, read once."""

    def __init__(self, modes):
        self.bucket = os.environ["BUCKET_NAME"]
        self.results = os.environ.get("RESULT_BUCKET_NAME")
        self.concurrency = int(os.environ["CONCURRENCY"])
        self.mode = os.environ["MODE"]
        self.tag = os.environ.get("TAG", "run")
        self.endpoint = os.environ.get("AWS_ENDPOINT_URL") or None
        self.region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
        self.key_file = os.environ.get("KEY_FILE") or None
        self.out = os.environ.get("PARFETCH_OUT") or None
        if self.mode not in modes:
            raise SystemExit(f"MODE is {self.mode}, and this program has {', '.join(modes)}: --contender NAME:{','.join(modes)}='…'")

    def client(self):
        """A plain client for listing and for the CSV; S3 is reached by path where an endpoint is given."""
        style = {"addressing_style": "path"} if self.endpoint else {}
        return botocore.session.get_session().create_client("s3", region_name=self.region, endpoint_url=self.endpoint, config=Config(s3=style))

    def keys(self):
        """Every key to fetch, in the order of the listing."""
        if self.key_file:
            with open(self.key_file, encoding="utf-8") as file:
                return [urllib.parse.unquote(line.split("\t")[0].rstrip("\n")) for line in file if not line.startswith("#")]
        pages = self.client().get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]


def cpu_ns():
    """User and system time of this process and of its children that have ended, in nanoseconds."""
    used = [resource.getrusage(which) for which in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return round(sum(one.ru_utime + one.ru_stime for one in used) * 1e9)


def peak_rss_bytes():
    """The largest resident set of this process; what wait4 tells is at least that of whoever started it."""
    with open("/proc/self/status", encoding="ascii") as file:
        for line in file:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return None


class Phase:
    """The fetch phase: from the moment it is made to `end`. Its rows are (key, size, counted, start, first byte, end, pid, tid), times by `now_ns`; what
    is not known is None."""

    def __init__(self, settings):
        self.settings = settings
        self.cpu_ns = cpu_ns()
        self.begun_ns = now_ns()

    def end(self, rows):
        """Writes or stores the CSV, and prints the line of JSON."""
        ended_ns, whole_ns = now_ns(), cpu_ns()
        wall_ns = ended_ns - self.begun_ns
        if self.settings.out != "-":
            self.write(rows, wall_ns)
        figures = {"peak_rss_bytes": peak_rss_bytes(), "requests": len(rows), "bytes": sum(row[2] for row in rows), "wall_ns": wall_ns,
                   "cpu_fetch_ns": whole_ns - self.cpu_ns, "cpu_whole_ns": whole_ns}
        print(json.dumps(figures), flush=True)

    def write(self, rows, wall_ns):
        """The CSV: into the file of PARFETCH_OUT, or the results bucket."""
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow((f"Key (time = {wall_ns / 1e9}) sec", *HEAD))
        since = lambda ns: "" if ns is None else max(0, ns - self.begun_ns)  # noqa: E731
        for key, size, counted, start, first, end, pid, tid in rows:
            writer.writerow((key, size, counted, since(start), since(first), since(end), pid, tid))
        body = text.getvalue().encode()
        settings = self.settings
        if settings.out:
            with open(settings.out, "wb") as file:
                file.write(body)
            return
        name = f"result_{settings.tag}_{settings.mode}_{settings.concurrency}.csv"
        settings.client().put_object(Bucket=settings.results, Key=name, Body=body)
