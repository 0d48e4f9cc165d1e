"""The REST API of the study of Streamlit that answers after SLEEP seconds (default 10)."""
import asyncio, os
from datetime import datetime, timezone
from fastapi import FastAPI
app = FastAPI()


@app.get("/")
async def root():
    print(f"{datetime.now(timezone.utc):%H:%M:%S.%f}", flush=True)
    await asyncio.sleep(float(os.environ.get("SLEEP", "10")))
    return "ok"
