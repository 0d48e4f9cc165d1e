"""boto3: threads that share a client, or processes with a client each; a worker reads one body after another."""

import os
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import boto3
from botocore.config import Config

from contract import Phase, Settings, now_ns

# Read first, to know when the first bytes came; the rest comes in larger pieces.
FIRST, PIECE = 16_384, 1 << 20
settings = Settings(("thread", "process"))
s3 = None


def start_worker(connections=10):
    """The client of this process."""
    global s3
    style = {"addressing_style": "path"} if settings.endpoint else {}
    # The pool of connections has 10 places by default: with more threads than that, connections would be opened again and again.
    config = Config(max_pool_connections=max(10, connections), s3=style)
    s3 = boto3.client("s3", region_name=settings.region, endpoint_url=settings.endpoint, config=config)


def fetch(key):
    """One object, read to its end."""
    start = now_ns()
    answer = s3.get_object(Bucket=settings.bucket, Key=key)
    body = answer["Body"]
    counted = len(body.read(FIRST))
    first = now_ns()
    while piece := body.read(PIECE):
        counted += len(piece)
    return key, answer["ContentLength"], counted, start, first, now_ns(), os.getpid(), threading.get_native_id()


def main():
    keys, workers = settings.keys(), settings.concurrency
    phase = Phase(settings)
    if settings.mode == "thread":
        start_worker(workers)
        with ThreadPoolExecutor(workers) as pool:
            rows = list(pool.map(fetch, keys))
    else:
        with ProcessPoolExecutor(workers, initializer=start_worker) as pool:
            rows = list(pool.map(fetch, keys, chunksize=max(1, min(64, len(keys) // (workers * 8)))))
    phase.end(rows)


if __name__ == "__main__":
    main()
