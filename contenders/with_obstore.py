"""obstore: N coroutines over one store, each streaming one object after another and counting its bytes."""

import asyncio
import os
import threading

import obstore
from obstore.store import S3Store

from contract import Phase, Settings, now_ns

settings = Settings(("async",))


async def fetch(store, key):
    """One object, read to its end. Its stream collects large pieces, so when the first bytes came is not known."""
    start, counted = now_ns(), 0
    answer = await obstore.get_async(store, key)
    async for piece in answer.stream():
        counted += len(piece)
    return key, answer.meta["size"], counted, start, None, now_ns(), os.getpid(), threading.get_native_id()


async def fetch_all(store, keys):
    """The rows of all objects, in the order of their keys."""
    rows, queue = [None] * len(keys), iter(enumerate(keys))

    async def work():
        for place, key in queue:
            rows[place] = await fetch(store, key)

    await asyncio.gather(*(work() for _ in range(settings.concurrency)))
    return rows


def main():
    keys = settings.keys()
    options = {"endpoint": settings.endpoint, "virtual_hosted_style_request": False} if settings.endpoint else {}
    store = S3Store(settings.bucket, region=settings.region, client_options={"allow_http": True}, **options)
    phase = Phase(settings)
    phase.end(asyncio.run(fetch_all(store, keys)))
    # Its threads now and then abort the process while the interpreter shuts down.
    os._exit(0)


if __name__ == "__main__":
    main()
