"""s5cmd: `s5cmd --numworkers N run` with a `cat` for each key, its output counted here.

s5cmd says nothing of single objects: what came is held against the listing as a whole, and the rows have the listed sizes and no times.
"""

import os
import subprocess
import sys
import tempfile

import contract
from contract import Phase, Settings

settings = Settings(("async",))
PIECE = 1 << 20


def listed(settings):
    """Keys and their listed sizes."""
    if settings.key_file:
        with open(settings.key_file, encoding="utf-8") as file:
            rows = [line.rstrip("\n").split("\t") for line in file if not line.startswith("#")]
        return [(contract.urllib.parse.unquote(row[0]), int(row[1])) for row in rows]
    pages = settings.client().get_paginator("list_objects_v2").paginate(Bucket=settings.bucket)
    return [(entry["Key"], entry["Size"]) for page in pages for entry in page.get("Contents", [])]


def quoted(text):
    """An argument of s5cmd's own little shell."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def main():
    objects = listed(settings)
    program = os.environ.get("S5CMD") or "s5cmd"
    endpoint = ["--endpoint-url", settings.endpoint] if settings.endpoint else []
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        file.writelines(f"cat --raw {quoted(f's3://{settings.bucket}/{key}')}\n" for key, _ in objects)
        file.flush()
        phase = Phase(settings)
        command = [program, *endpoint, "--numworkers", str(settings.concurrency), "run", file.name]
        counted = 0
        with subprocess.Popen(command, stdout=subprocess.PIPE) as running:
            while piece := running.stdout.read(PIECE):
                counted += len(piece)
    if running.returncode != 0:
        sys.exit(f"s5cmd ended with exit code {running.returncode}")
    wanted = sum(size for _, size in objects)
    if counted != wanted:
        sys.exit(f"s5cmd wrote {counted} bytes, and the objects have {wanted}")
    phase.end([(key, size, size, None, None, None, os.getpid(), "") for key, size in objects])


if __name__ == "__main__":
    main()
