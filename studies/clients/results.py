"""Writes the rows of a client as the CSV that parfetch reads of a contender: to the file that PARFETCH_OUT names."""
import csv
import os

COLUMNS = ["Size", "CalcSize", "Outcome", "ErrorCodes", "Attempts", "StartNs", "FirstByteNs", "EndNs", "Worker", "Kind", "Status", "ServerPid", "ServerTid", "ServerStartNs", "ServerEndNs"]


def write(rows):
    """Rows are dictionaries with `key` and names of columns; times in seconds since the first start."""
    total = max((row["EndNs"] for row in rows), default=0)
    with open(os.environ["PARFETCH_OUT"], "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([f"Key (time = {total}) sec", *COLUMNS])
        for row in sorted(rows, key=lambda row: row["Worker"]):
            writer.writerow([row["key"], *(cell(name, row.get(name)) for name in COLUMNS)])


def cell(name, value):
    if value is None:
        return ""
    return int(value * 1e9) if name in ("StartNs", "FirstByteNs", "EndNs") else value
