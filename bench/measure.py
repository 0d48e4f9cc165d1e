"""Starts a program on its CPU, waits for its end, and says what it used. Ends what it started, by id, whatever happens."""

import contextlib
import dataclasses
import json
import os
import pathlib
import signal
import subprocess
import threading
import time

TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")


@dataclasses.dataclass
class Cpus:
    """Which CPU the client and which the server is held to; None on a machine with one."""
    client: int | None
    server: int | None

    @classmethod
    def choose(cls):
        free = sorted(os.sched_getaffinity(0))
        return cls(free[0], free[1]) if len(free) > 1 else cls(None, None)


@contextlib.contextmanager
def held_to(cpu):
    """What is started inside inherits the one CPU; None leaves all."""
    before = os.sched_getaffinity(0)
    if cpu is not None:
        os.sched_setaffinity(0, {cpu})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@dataclasses.dataclass
class Used:
    """What a program and all its ended children used, as the kernel told the one who waited."""
    code: int
    # On the system's monotonic clock.
    begun_ns: int
    wall_ns: int
    cpu_ns: int
    # At least the resident set of the one who started it: of use for large programs alone.
    max_rss_bytes: int
    output: bytes
    stderr: str

    @property
    def stdout(self):
        return self.output.decode("utf-8", "replace")


def end(process, how=signal.SIGTERM, patience=10):
    """Ends a process that was started here, and its group."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def run(command, cpu=None, environment=None, discard_stdout=False, timeout=600):
    """Runs a command to its end. Its output goes through files in the temporary folder, so that nobody has to read while it runs."""
    environment = environment or dict(os.environ)
    folder = pathlib.Path(environment.get("TMPDIR", "/tmp"))
    out, err = folder / f"bench-{os.getpid()}.out", folder / f"bench-{os.getpid()}.err"
    try:
        with open(os.devnull if discard_stdout else out, "wb") as stdout, open(err, "wb") as stderr, held_to(cpu):
            begun = time.monotonic_ns()
            process = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, env=environment, start_new_session=True)
        watchdog = threading.Timer(timeout, os.killpg, (process.pid, signal.SIGKILL))
        watchdog.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
            wall_ns = time.monotonic_ns() - begun
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            watchdog.cancel()
            end(process)
        raw = b"" if discard_stdout else out.read_bytes()
        cpu_ns = round((usage.ru_utime + usage.ru_stime) * 1e9)
        return Used(process.returncode, begun, wall_ns, cpu_ns, usage.ru_maxrss * 1024, raw, err.read_text(encoding="utf-8", errors="replace"))
    finally:
        out.unlink(missing_ok=True)
        err.unlink(missing_ok=True)


def last_json(text):
    """The last line of a text as JSON, or the whole text; None when neither is."""
    lines = text.strip().splitlines()
    for candidate in (text, lines[-1] if lines else ""):
        with contextlib.suppress(json.JSONDecodeError):
            return json.loads(candidate)
    return None


def cpu_of(pids):
    """User and system time that running processes have used so far, to a tick (10 ms on most machines); None when one is gone."""
    ticks = 0
    for pid in pids:
        try:
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rsplit(")", 1)[1].split()
        except OSError:
            return None
        ticks += int(fields[11]) + int(fields[12])
    return ticks * TICK_NS


def children(pid):
    """Ids of the processes that a process started."""
    found = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, IndexError):
            if int(stat.read_text(encoding="ascii", errors="replace").rsplit(")", 1)[1].split()[1]) == pid:
                found.append(int(stat.parent.name))
    return found
