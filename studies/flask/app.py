"""The Flask app of the study: /wait sleeps WAITING_TIME. gunicorn's sync worker serves one request at a time.
With SPANS, each answer is also a line of the file SPANS_FOLDER/SPANS."""
import os, threading, time
from flask import Flask, jsonify
WAIT = float(os.environ.get("WAITING_TIME", "1"))
SPANS = os.environ.get("SPANS") and os.open(os.path.join(os.environ.get("SPANS_FOLDER", "."), os.environ["SPANS"]), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
app = Flask(__name__)


@app.get("/wait")
def wait():
    start = time.monotonic_ns(); time.sleep(WAIT); end = time.monotonic_ns()
    if SPANS:
        os.write(SPANS, f"{os.getpid()} {threading.get_ident()} {start} {end}\n".encode())
    return jsonify(start_ns=start, end_ns=end, pid=os.getpid(), thread=threading.get_ident())


@app.get("/healthcheck")
def healthcheck():
    return "ok"
