"""CONCURRENCY browsers of a Streamlit app: each opens a websocket, asks for one run of the script, and waits for its end. usage: streamlit_sessions.py HOST:PORT

To open the page (GET /) does not run the script: a run needs a websocket on /_stcore/stream (sub-protocol `streamlit`) and one BackMsg.rerun_script (protobuf)."""
import asyncio
import os
import re
import sys
import time

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

import results

LINE = re.compile(r"(\d+): (\d+): (\d\d:\d\d:\d\d\.\d+): (\d\d:\d\d:\d\d\.\d+)")


def since_midnight(text):
    hours, minutes, seconds = text.split(":")
    return int((int(hours) * 3600 + int(minutes) * 60 + float(seconds)) * 1e9)


async def session(number, url, begin):
    row = {"key": f"{url}?i={number}", "Worker": number, "Outcome": "failed", "Attempts": 1, "Kind": "session", "CalcSize": 0, "StartNs": time.perf_counter() - begin}
    try:
        async with websockets.connect(url, subprotocols=["streamlit"], max_size=None, open_timeout=120, ping_interval=None) as socket:
            message = BackMsg()
            message.rerun_script.query_string = f"i={number}"
            await socket.send(message.SerializeToString())
            while True:
                data = await socket.recv()
                row.setdefault("FirstByteNs", time.perf_counter() - begin)
                row["CalcSize"] += len(data)
                forward = ForwardMsg()
                forward.ParseFromString(data)
                # From the message's field and not from its bytes: the length in front of a text can itself be a digit.
                text = forward.delta.new_element.markdown.body if forward.WhichOneof("type") == "delta" else ""
                if found := LINE.match(text):
                    row["ServerPid"], row["ServerTid"] = found[1], found[2]
                    row["ServerStartNs"], row["ServerEndNs"] = since_midnight(found[3]), since_midnight(found[4])
                if forward.WhichOneof("type") == "script_finished":
                    row["EndNs"] = time.perf_counter() - begin  # before the closing handshake, which Streamlit answers late
                    if forward.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                        row["Outcome"] = "ok"
                    break
    except (OSError, websockets.WebSocketException):
        row["ErrorCodes"] = "other"
    row.setdefault("EndNs", time.perf_counter() - begin)
    return row


async def main(where):
    begin = time.perf_counter()
    url = f"ws://{where}/_stcore/stream"
    results.write(await asyncio.gather(*(session(number, url, begin) for number in range(int(os.environ["CONCURRENCY"])))))


asyncio.run(main(sys.argv[1]))
