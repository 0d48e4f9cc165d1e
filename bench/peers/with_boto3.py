"""boto3: a pool of threads that share one client, each reading one body after another whole."""

from concurrent.futures import ThreadPoolExecutor

import boto3
from botocore.config import Config

from common import Phase, arguments


def main():
    endpoint, bucket, keys, concurrency = arguments()
    # The pool of connections has 10 places by default: with more threads than that, connections would be opened again and again.
    s3 = boto3.client("s3", endpoint_url=endpoint, config=Config(max_pool_connections=max(10, concurrency)))
    phase = Phase()
    with ThreadPoolExecutor(concurrency) as pool:
        sizes = list(pool.map(lambda key: len(s3.get_object(Bucket=bucket, Key=key)["Body"].read()), keys))
    phase.end(len(sizes), sum(sizes))


main()
