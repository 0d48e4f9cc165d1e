"""What the Python peers share: arguments, the key list, and the one line of JSON that each prints."""

import json
import resource
import sys
import time


def arguments():
    """`PEER ENDPOINT BUCKET KEYS CONCURRENCY`: endpoint, bucket, list of keys, concurrency."""
    endpoint, bucket, path, concurrency = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        keys = [line.split("\t")[0] for line in file.read().splitlines() if not line.startswith("#")]
    return endpoint, bucket, keys, int(concurrency)


def cpu_ns():
    """User and system time of this process so far, in nanoseconds."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return round((usage.ru_utime + usage.ru_stime) * 1e9)


def peak_rss_bytes():
    """The largest resident set of this program; what wait4 tells is at least that of whoever started it."""
    with open("/proc/self/status", encoding="ascii") as file:
        for line in file:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return None


class Phase:
    """The fetch phase: from the moment it is made to `end`."""

    def __init__(self):
        self.cpu_ns = cpu_ns()
        self.begun_ns = time.monotonic_ns()

    def end(self, requests, size):
        """Prints the line that the driver reads."""
        wall_ns, whole_ns = time.monotonic_ns() - self.begun_ns, cpu_ns()
        figures = {"peak_rss_bytes": peak_rss_bytes(), "requests": requests, "bytes": size, "wall_ns": wall_ns, "cpu_fetch_ns": whole_ns - self.cpu_ns,
                   "cpu_whole_ns": whole_ns}
        print(json.dumps(figures), flush=True)
