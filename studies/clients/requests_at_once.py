"""REQUESTS requests (default CONCURRENCY), CONCURRENCY at once, with httpx, as the studies' own client sent them. usage: requests_at_once.py URL [JSON to POST]"""
import asyncio
import json
import os
import sys
import time

import httpx

import results


async def request(number, client, url, body, begin):
    row = {"key": f"{url}#{number}", "Worker": number, "Outcome": "failed", "Attempts": 1, "Kind": "request", "StartNs": time.perf_counter() - begin}
    try:
        method = "GET" if body is None else "POST"
        headers = {} if body is None else {"content-type": "application/json"}
        async with client.stream(method, url, content=body, headers=headers) as answer:
            row["Status"] = answer.status_code
            data = b""
            async for piece in answer.aiter_bytes():
                row.setdefault("FirstByteNs", time.perf_counter() - begin)
                data += piece
        row["CalcSize"] = len(data)
        if answer.is_success:
            row["Outcome"] = "ok"
            facts = json.loads(data) if data.startswith(b"{") else {}
            row.update(ServerPid=facts.get("pid"), ServerTid=facts.get("thread"), ServerStartNs=facts.get("start_ns"), ServerEndNs=facts.get("end_ns"))
        else:
            row["ErrorCodes"] = f"HTTP{answer.status_code}"
    except httpx.HTTPError as error:
        row["ErrorCodes"] = "reset" if isinstance(error, (httpx.ReadError, httpx.RemoteProtocolError)) else "other"
    row["EndNs"] = time.perf_counter() - begin
    return row


async def main(url, body=None):
    at_once = int(os.environ["CONCURRENCY"])
    count = int(os.environ.get("REQUESTS", at_once))
    slots = asyncio.Semaphore(at_once)

    async def in_turn(number):
        async with slots:
            return await request(number, client, url, body, begin)

    # What is loaded with the first request must not be part of its time.
    async with httpx.AsyncClient() as first:
        await first.get(httpx.URL(url).join("/healthcheck"))
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(timeout=httpx.Timeout(None), limits=limits) as client:
        begin = time.perf_counter()
        results.write(await asyncio.gather(*(in_turn(number) for number in range(count))))


asyncio.run(main(*sys.argv[1:]))
