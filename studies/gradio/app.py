"""The study of Gradio: Blocks mounted in FastAPI. button1 sleeps, button2 burns CPU; each with concurrency_limit CONCURRENCY_LIMIT (default 1).
STYLE=sync (def) or async (async def, blocking inside, as the study's conclusion uses it). The REST endpoints /test1 /test2 call the same functions."""
import os, threading, time
import gradio as gr
from fastapi import FastAPI

WAIT = float(os.environ.get("WAITING_TIME", "1"))
LOOPS = int(os.environ.get("LOOPS", "20000000"))
LIMIT = os.environ.get("CONCURRENCY_LIMIT", "1")
LIMIT = None if LIMIT == "none" else int(LIMIT)
ASYNC = os.environ.get("STYLE", "sync") == "async"
app = FastAPI()


def facts(kind, start):
    return f"{kind} pid={os.getpid()} thread={threading.get_ident()} start={start:.3f} end={time.monotonic():.3f}"


def work1():
    start = time.monotonic(); time.sleep(WAIT); return facts("sleep", start)


def work2():
    start = time.monotonic(); x = 0
    for i in range(LOOPS):
        x += i
    return facts("cpu", start)


if ASYNC:
    async def click_button1(): return work1()
    async def click_button2(): return work2()

    @app.get("/test1")
    async def test1(): return await click_button1()

    @app.get("/test2")
    async def test2(): return await click_button2()
else:
    def click_button1(): return work1()
    def click_button2(): return work2()

    @app.get("/test1")
    def test1(): return click_button1()

    @app.get("/test2")
    def test2(): return click_button2()


@app.get("/healthcheck")
async def healthcheck():
    return "ok"


with gr.Blocks(analytics_enabled=False) as demo:
    b1, o1 = gr.Button("sleep"), gr.Textbox()
    b2, o2 = gr.Button("cpu"), gr.Textbox()
    b1.click(click_button1, None, o1, concurrency_limit=LIMIT, api_name="click_button1")
    b2.click(click_button2, None, o2, concurrency_limit=LIMIT, api_name="click_button2")

app = gr.mount_gradio_app(app, demo, path="/")
