"""The AWS Common Runtime's S3 client: N requests in flight, bodies counted in the callback. It splits large objects into ranged requests by itself."""

import os
import threading
from urllib.parse import urlsplit

from awscrt.auth import AwsCredentialsProvider
from awscrt.http import HttpHeaders, HttpRequest
from awscrt.io import ClientBootstrap, ClientTlsContext, DefaultHostResolver, EventLoopGroup, TlsContextOptions
from awscrt.s3 import S3Client, S3RequestTlsMode, S3RequestType, create_default_s3_signing_config

from common import Phase, arguments

REGION = "us-east-1"


def new_client(scheme):
    """A client with as many event loops as there are CPUs that it may run on."""
    group = EventLoopGroup(len(os.sched_getaffinity(0)))
    bootstrap = ClientBootstrap(group, DefaultHostResolver(group))
    provider = AwsCredentialsProvider.new_static(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])
    signing = create_default_s3_signing_config(region=REGION, credential_provider=provider)
    if scheme == "http":
        return S3Client(bootstrap=bootstrap, region=REGION, signing_config=signing, tls_mode=S3RequestTlsMode.DISABLED)
    options = TlsContextOptions()
    options.override_default_trust_store_from_path(None, os.environ["AWS_CA_BUNDLE"])
    tls = ClientTlsContext(options).new_connection_options()
    return S3Client(bootstrap=bootstrap, region=REGION, signing_config=signing, tls_mode=S3RequestTlsMode.ENABLED, tls_connection_options=tls)


class Fetches:
    """The objects still to fetch and what came of the others; its callbacks run on the client's threads."""

    def __init__(self, client, host, paths):
        self.client, self.host, self.paths = client, host, iter(paths)
        self.lock, self.idle = threading.Lock(), threading.Semaphore(0)
        self.requests, self.bytes, self.error = 0, 0, None

    def start(self):
        """Starts the next one; without one, its worker is done."""
        with self.lock:
            path = None if self.error else next(self.paths, None)
        if path is None:
            self.idle.release()
            return
        request = HttpRequest("GET", path, HttpHeaders([("Host", self.host)]))
        self.client.make_request(type=S3RequestType.GET_OBJECT, request=request, on_body=self.on_body, on_done=self.on_done)

    def on_body(self, chunk, **_):
        with self.lock:
            self.bytes += len(chunk)

    def on_done(self, error=None, **_):
        with self.lock:
            self.requests += 1
            self.error = self.error or error
        self.start()


def main():
    endpoint, bucket, keys, concurrency = arguments()
    parts = urlsplit(endpoint)
    client = new_client(parts.scheme)
    fetches = Fetches(client, parts.netloc, [f"/{bucket}/{key}" for key in keys])
    phase = Phase()
    for _ in range(concurrency):
        fetches.start()
    for _ in range(concurrency):
        fetches.idle.acquire()
    if fetches.error:
        raise SystemExit(f"a fetch failed: {fetches.error}")
    phase.end(fetches.requests, fetches.bytes)


main()
