"""The AWS Common Runtime's S3 client: N requests in flight, bodies counted in the callback. It splits large objects into ranged requests by itself."""

import os
import threading
from urllib.parse import quote, urlsplit

from awscrt.auth import AwsCredentialsProvider
from awscrt.http import HttpHeaders, HttpRequest
from awscrt.io import ClientBootstrap, ClientTlsContext, DefaultHostResolver, EventLoopGroup, TlsContextOptions
from awscrt.s3 import S3Client, S3RequestTlsMode, S3RequestType, create_default_s3_signing_config

from contract import Phase, Settings, now_ns

settings = Settings(("async",))


def new_client(scheme):
    """A client with as many event loops as there are CPUs that it may run on."""
    group = EventLoopGroup(len(os.sched_getaffinity(0)))
    bootstrap = ClientBootstrap(group, DefaultHostResolver(group))
    provider = AwsCredentialsProvider.new_default_chain(bootstrap)
    signing = create_default_s3_signing_config(region=settings.region, credential_provider=provider)
    common = {"bootstrap": bootstrap, "region": settings.region, "signing_config": signing}
    if scheme == "http":
        return S3Client(tls_mode=S3RequestTlsMode.DISABLED, **common)
    options = TlsContextOptions()
    if os.environ.get("AWS_CA_BUNDLE"):
        options.override_default_trust_store_from_path(None, os.environ["AWS_CA_BUNDLE"])
    tls = ClientTlsContext(options).new_connection_options()
    return S3Client(tls_mode=S3RequestTlsMode.ENABLED, tls_connection_options=tls, **common)


class Fetches:
    """The objects still to fetch and what came of the others; its callbacks run on the client's threads."""

    def __init__(self, client, host, prefix, keys):
        self.client, self.host, self.prefix = client, host, prefix
        self.queue, self.rows = iter(enumerate(keys)), [None] * len(keys)
        self.lock, self.idle, self.error = threading.Lock(), threading.Semaphore(0), None

    def start(self):
        """Starts the next one; without one, its worker is done."""
        with self.lock:
            place, key = (None, None) if self.error else next(self.queue, (None, None))
        if key is None:
            self.idle.release()
            return
        begun, seen = now_ns(), {"size": None, "counted": 0, "first": None}

        def on_headers(headers, **_):
            seen["size"] = next((int(value) for name, value in headers if name.lower() == "content-length"), None)

        def on_body(chunk, **_):
            if seen["first"] is None:
                seen["first"] = now_ns()
            # Parts of one object come in order, one at a time.
            seen["counted"] += len(chunk)

        def on_done(error=None, **_):
            row = (key, seen["size"], seen["counted"], begun, seen["first"], now_ns(), os.getpid(), threading.get_native_id())
            with self.lock:
                self.rows[place] = row
                self.error = self.error or error
            self.start()

        request = HttpRequest("GET", f"{self.prefix}/{quote(key)}", HttpHeaders([("Host", self.host)]))
        self.client.make_request(type=S3RequestType.GET_OBJECT, request=request, on_headers=on_headers, on_body=on_body, on_done=on_done)


def main():
    keys = settings.keys()
    if settings.endpoint:
        parts = urlsplit(settings.endpoint)
        scheme, host, prefix = parts.scheme, parts.netloc, f"/{settings.bucket}"
    else:
        scheme, host, prefix = "https", f"{settings.bucket}.s3.{settings.region}.amazonaws.com", ""
    fetches = Fetches(new_client(scheme), host, prefix, keys)
    phase = Phase(settings)
    for _ in range(settings.concurrency):
        fetches.start()
    for _ in range(settings.concurrency):
        fetches.idle.acquire()
    if fetches.error:
        raise SystemExit(f"a fetch failed: {fetches.error}")
    phase.end(fetches.rows)


if __name__ == "__main__":
    main()
