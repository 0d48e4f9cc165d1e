#!/usr/bin/env python3
"""Makes the two buckets of the local comparison and fills the source with OBJECTS objects of SIZE_KIB KiB.

What is there with the right size stays, so that it can be run again. The bytes are pseudo-random, from a fixed seed: stores that compress gain nothing.
"""

import os
import random
from concurrent.futures import ThreadPoolExecutor

import boto3

SOURCE = os.environ["BUCKET_NAME"]
RESULTS = os.environ["RESULT_BUCKET_NAME"]
OBJECTS = int(os.environ.get("OBJECTS", "300"))
SIZE = int(os.environ.get("SIZE_KIB", "2560")) * 1024
UPLOADS = 8


def ensure_bucket(s3, name):
    existing = {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}
    if name not in existing:
        s3.create_bucket(Bucket=name)


def sizes(s3):
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=SOURCE)
    return {entry["Key"]: entry["Size"] for page in pages for entry in page.get("Contents", [])}


def main():
    s3 = boto3.client("s3")
    ensure_bucket(s3, SOURCE)
    ensure_bucket(s3, RESULTS)
    wanted = [f"{number % 100:02}/object-{number:06}" for number in range(OBJECTS)]
    there = sizes(s3)
    # Others would be fetched too, and make two comparisons of the same name different.
    for key in there.keys() - set(wanted):
        s3.delete_object(Bucket=SOURCE, Key=key)
    missing = [key for key in wanted if there.get(key) != SIZE]
    body = random.Random(1).randbytes(SIZE)
    with ThreadPoolExecutor(UPLOADS) as pool:
        for _ in pool.map(lambda key: s3.put_object(Bucket=SOURCE, Key=key, Body=body), missing):
            pass
    print(f"s3://{SOURCE}: {OBJECTS} objects of {SIZE} bytes, {len(missing)} of them new")


if __name__ == "__main__":
    main()
