"""The FastAPI app of the study, written anew: every answer takes WAITING_TIME seconds (default 1).

/sync   `def` + time.sleep   -> Starlette's thread pool (40 tokens per process)
/async  `async def` + asyncio.sleep -> the event loop, no limit
/blocking  `async def` + time.sleep -> blocks the loop: one at a time per process
/cpu    `def` + CPU loop (thread pool, GIL)       /cpu_async  `async def` + CPU loop (blocks the loop)
Answers carry pid, thread and server-side start/end (monotonic ns). With SPANS, each answer is also a line of the file SPANS_FOLDER/SPANS, so that
overlap can be checked on the server's own clock, whoever asked.
"""
import asyncio, os, threading, time
from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse, RedirectResponse

WAIT = float(os.environ.get("WAITING_TIME", "1"))
LOOPS = int(os.environ.get("LOOPS", "20000000"))
SPANS = os.environ.get("SPANS") and os.open(os.path.join(os.environ.get("SPANS_FOLDER", "."), os.environ["SPANS"]), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
app = FastAPI()


def facts(start):
    found = {"wait": time.monotonic() - start, "pid": os.getpid(), "thread": threading.get_ident(), "start_ns": int(start * 1e9), "end_ns": time.monotonic_ns()}
    if SPANS:
        os.write(SPANS, f"{found['pid']} {found['thread']} {found['start_ns']} {found['end_ns']}\n".encode())
    return found


def burn():
    x = 0
    for i in range(LOOPS):
        x += i
    return x


@app.get("/healthcheck")
async def healthcheck():
    return "ok"


@app.get("/sync")
def sync():
    start = time.monotonic(); time.sleep(WAIT); return facts(start)


@app.get("/async")
async def async_():
    start = time.monotonic(); await asyncio.sleep(WAIT); return facts(start)


@app.get("/blocking")
async def blocking():
    start = time.monotonic(); time.sleep(WAIT); return facts(start)


@app.get("/cpu")
def cpu():
    start = time.monotonic(); burn(); return facts(start)


@app.get("/cpu_async")
async def cpu_async():
    start = time.monotonic(); burn(); return facts(start)


@app.post("/predict")
async def predict(request: Request):
    """The study's POST of a JSON file."""
    body = await request.json()
    start = time.monotonic(); await asyncio.sleep(WAIT)
    return {**facts(start), "received": body, "accept": request.headers.get("accept"), "content_type": request.headers.get("content-type"),
            "host": request.headers.get("host"), "authorization": request.headers.get("authorization")}


# What a plain HTTP client has to cope with, for tests:
@app.get("/status/{code}")
async def status(code: int):
    return Response("x", status_code=code)


@app.get("/chunked/{n}")
async def chunked(n: int, gap: float = 0.0):
    async def body():
        for i in range(n):
            yield b"%08d" % i
            if gap:
                await asyncio.sleep(gap)
    return StreamingResponse(body(), media_type="application/octet-stream")


@app.get("/sse/{n}")
async def sse(n: int, gap: float = 0.2):
    async def body():
        for i in range(n):
            yield b"event: tick\ndata: %d\n\n" % i
            await asyncio.sleep(gap)
    return StreamingResponse(body(), media_type="text/event-stream")


@app.get("/redirect/{n}")
async def redirect(n: int):
    return RedirectResponse("/async" if n <= 1 else f"/redirect/{n - 1}")


@app.get("/bytes/{n}")
async def bytes_(n: int):
    return Response(b"x" * n, media_type="application/octet-stream")


@app.get("/flaky/{every}")
async def flaky(every: int):
    """Every N-th answer is a 503 (per process)."""
    flaky.n = getattr(flaky, "n", 0) + 1
    return Response("busy" if flaky.n % every == 0 else "ok", status_code=503 if flaky.n % every == 0 else 200)
