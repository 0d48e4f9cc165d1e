"""How time, memory and temporary disk grow with the number of keys: one run each of ten thousand to ten million objects of 1 KiB from the embedded server."""

import shutil
import threading

import table

KEYS = (10_000, 100_000, 1_000_000, 10_000_000)
WORKERS = 64


class Disk:
    """Watches how large a folder gets, while the block runs: `peak` in bytes."""

    def __init__(self, folder):
        self.folder, self.peak, self.over = folder, 0, threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def watch(self):
        while not self.over.wait(0.2):
            self.peak = max(self.peak, size_of(self.folder))


def size_of(folder):
    """Bytes of the files below a folder; files that go meanwhile do not count."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:
            pass
    return total


def scale(context):
    """A row for each number of keys: phases in seconds, memory, disk and CSV in bytes."""
    rows = []
    for keys in KEYS[:1] if context.form == "short" else KEYS:
        context.say(f"  scale  {keys:,} keys")
        spool = context.folder / "spool"
        spool.mkdir()
        try:
            with Disk(spool) as disk:
                summary = context.run([f"--embedded=objects={keys},size=1KiB", "-c", WORKERS, "--client", "lean", "--spool-dir", spool])
            csv = context.folder / "out" / f"result_run_async_{WORKERS}.csv"
            rows.append({"keys": keys, "disk_bytes": disk.peak, "csv_bytes": csv.stat().st_size, "peak_bytes": summary["memory"]["peak_pss_bytes"]} |
                        {name: value / 1e9 for name, value in summary["phases"].items() if value is not None})
            csv.unlink()
        finally:
            shutil.rmtree(spool, ignore_errors=True)
    return rows


def scale_words(_, found):
    """The rows as a text."""
    header = [f"keys, async x{WORKERS}, 1 KiB", "start-up s", "listing s", "fetch s", "write-back s", "keys/s listed", "fetched", "written", "peak MB", "temporary MB", "CSV MB"]
    phases = ("start_up_ns", "listing_ns", "fetch_ns", "write_back_ns")
    return table.text(header, [
        [f"{row['keys']:,}", *(table.number(row[name]) for name in phases), *(table.number(row["keys"] / row[name]) for name in phases[1:]),
         *(table.number(row[name] / 1e6) for name in ("peak_bytes", "disk_bytes", "csv_bytes"))]
        for row in found])
