"""aioboto3: N coroutines over one client, each reading one body after another."""

import asyncio
import os
import threading

import aioboto3
from aiobotocore.config import AioConfig

from contract import Phase, Settings, now_ns

FIRST, PIECE = 16_384, 1 << 20
settings = Settings(("async",))


async def fetch(s3, key):
    """One object, read to its end."""
    start = now_ns()
    answer = await s3.get_object(Bucket=settings.bucket, Key=key)
    body = answer["Body"]
    counted = len(await body.read(FIRST))
    first = now_ns()
    while piece := await body.read(PIECE):
        counted += len(piece)
    return key, answer["ContentLength"], counted, start, first, now_ns(), os.getpid(), threading.get_native_id()


async def fetch_all(keys):
    """The rows of all objects, in the order of their keys."""
    rows, queue = [None] * len(keys), iter(enumerate(keys))
    style = {"addressing_style": "path"} if settings.endpoint else {}
    config = AioConfig(max_pool_connections=max(10, settings.concurrency), s3=style)
    async with aioboto3.Session().client("s3", region_name=settings.region, endpoint_url=settings.endpoint, config=config) as s3:

        async def work():
            for place, key in queue:
                rows[place] = await fetch(s3, key)

        await asyncio.gather(*(work() for _ in range(settings.concurrency)))
    return rows


def main():
    keys = settings.keys()
    phase = Phase(settings)
    phase.end(asyncio.run(fetch_all(keys)))


if __name__ == "__main__":
    main()
