"""The study of Streamlit: sleep SLEEP seconds (default 10), then say pid, thread and time. With API set, wait for that REST API instead of sleeping."""
import os, threading, time
from datetime import datetime, timezone
import streamlit as st

start = datetime.now(timezone.utc)
api = os.environ.get("API")
if api:
    import httpx
    httpx.get(api, timeout=600)
else:
    time.sleep(float(os.environ.get("SLEEP", "10")))
line = f"{os.getpid()}: {threading.current_thread().ident}: {start:%H:%M:%S.%f}: {datetime.now(timezone.utc):%H:%M:%S.%f}"
st.write(line)
print(line, flush=True)
