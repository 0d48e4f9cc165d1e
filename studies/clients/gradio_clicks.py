"""CONCURRENCY clicks of a Gradio button at once, through the queue, and as many GETs of the REST endpoint next to them. usage: gradio_clicks.py HOST:PORT FUNCTION [PATH]

A click is POST /gradio_api/call/FUNCTION, which gives an event; GET of that event is a stream. An error comes inside a 200."""
import asyncio
import os
import sys
import time

import httpx

import results


def new_row(number, key, kind, begin):
    return {"key": f"{key}#{number}", "Worker": number, "Outcome": "failed", "Attempts": 1, "Kind": kind, "StartNs": time.perf_counter() - begin}


async def click(number, client, function, begin):
    row = new_row(number, function, "click", begin)
    try:
        path = f"/gradio_api/call/{function}"
        event = (await client.post(path, json={"data": []})).raise_for_status().json()["event_id"]
        async with client.stream("GET", f"{path}/{event}") as answer:
            text = (await answer.aread()).decode()
        row["Status"], row["CalcSize"] = answer.status_code, len(text)
        if answer.status_code == 200 and "event: complete" in text:
            row["Outcome"] = "ok"
    except httpx.HTTPError:
        row["ErrorCodes"] = "other"
    row["EndNs"] = time.perf_counter() - begin
    return row


async def get(number, client, path, begin):
    row = new_row(number, path, "get", begin)
    answer = await client.get(path)
    row["Status"], row["CalcSize"], row["EndNs"] = answer.status_code, len(answer.content), time.perf_counter() - begin
    if answer.is_success:
        row["Outcome"] = "ok"
    return row


async def main(where, function, path=None):
    count = int(os.environ["CONCURRENCY"])
    # What is loaded with the first request must not be part of its time.
    async with httpx.AsyncClient() as first:
        await first.get(f"http://{where}/healthcheck")
    async with httpx.AsyncClient(base_url=f"http://{where}", timeout=120, limits=httpx.Limits(max_connections=None)) as client:
        begin = time.perf_counter()
        work = [click(number, client, function, begin) for number in range(count)]
        if path:
            work += [get(count + number, client, path, begin) for number in range(count)]
        results.write(await asyncio.gather(*work))


asyncio.run(main(*sys.argv[1:]))
