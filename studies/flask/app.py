"""The Flask app of the study: /wait sleeps WAITING_TIME. gunicorn's sync worker serves one request at a time."""
import os, threading, time
from flask import Flask, jsonify
WAIT = float(os.environ.get("WAITING_TIME", "1"))
app = Flask(__name__)


@app.get("/wait")
def wait():
    start = time.monotonic_ns(); time.sleep(WAIT)
    return jsonify(start_ns=start, end_ns=time.monotonic_ns(), pid=os.getpid(), thread=threading.get_ident())


@app.get("/healthcheck")
def healthcheck():
    return "ok"
