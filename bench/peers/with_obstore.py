"""obstore: N coroutines over one store, each streaming one object after another and counting its bytes."""

import asyncio
import os

import obstore
from obstore.store import S3Store

from common import Phase, arguments


async def work(store, keys, sizes):
    """Fetches until no key is left; `keys` is one iterator for all."""
    for key in keys:
        size = 0
        async for chunk in (await obstore.get_async(store, key)).stream():
            size += len(chunk)
        sizes.append(size)


async def fetch_all(store, keys, concurrency):
    """The sizes of all objects."""
    sizes, queue = [], iter(keys)
    await asyncio.gather(*(work(store, queue, sizes) for _ in range(concurrency)))
    return sizes


def main():
    endpoint, bucket, keys, concurrency = arguments()
    store = S3Store(bucket, endpoint=endpoint, region="us-east-1", virtual_hosted_style_request=False, client_options={"allow_http": True})
    phase = Phase()
    sizes = asyncio.run(fetch_all(store, keys, concurrency))
    phase.end(len(sizes), sum(sizes))
    # Its threads now and then abort the process while the interpreter shuts down.
    os._exit(0)


main()
