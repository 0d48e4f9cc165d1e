"""The servers that everything is fetched from: nginx with a made-up bucket, and the embedded server. On 127.0.0.1, held to a CPU of their own."""

import contextlib
import math
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import time

import measure

KIB = 1024
# Name of a size -> bytes; None: lognormal with a mean of 256 KiB and a sigma of 1, as the embedded server has it.
SIZES = {"16k": 16 * KIB, "256k": 256 * KIB, "2560k": 2560 * KIB, "8192k": 8192 * KIB, "lognormal": None}
CLASSES = 64
RESULTS = "bench-results"


def bucket(size):
    return f"bench-{size}"


def lognormal_sizes():
    """Sizes in bytes of the classes, each as likely as another: the middles of equal slices of the distribution."""
    normal, mu = statistics.NormalDist(), math.log(256 * KIB) - 0.5
    return [round(math.exp(mu + normal.inv_cdf((i + 0.5) / CLASSES))) for i in range(CLASSES)]


def objects(size, count):
    """`count` objects of the made-up bucket: pairs of key and bytes."""
    if SIZES[size] is not None:
        return [(f"{i:07}", SIZES[size]) for i in range(count)]
    sizes = lognormal_sizes()
    # 37 and 64 have no common divisor: neighbours differ in size.
    return [(f"{i * 37 % CLASSES:02}/{i:07}", sizes[i * 37 % CLASSES]) for i in range(count)]


def listing(name, entries):
    """A page of ListObjectsV2 with all of them."""
    contents = "".join(
        f"<Contents><Key>{key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;0&quot;</ETag><Size>{size}</Size>"
        "<StorageClass>STANDARD</StorageClass></Contents>" for key, size in entries)
    return ('<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<Name>{name}</Name><Prefix></Prefix><KeyCount>{len(entries)}</KeyCount><MaxKeys>{max(1000, len(entries))}</MaxKeys>"
            f"<IsTruncated>false</IsTruncated>{contents}</ListBucketResult>")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(port, process):
    """Until something listens there."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise RuntimeError(f"the server did not start: {process.args}")


def certificate(folder):
    """An authority of our own, and a certificate of it for 127.0.0.1 and localhost: (authority, certificate, key), by openssl."""
    (folder / "ca.cnf").write_text(
        "[req]\ndistinguished_name=dn\n[dn]\n[ca]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\nsubjectKeyIdentifier=hash\n"
        "[leaf]\nbasicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\n"
        "subjectAltName=IP:127.0.0.1,DNS:localhost\n", encoding="ascii")
    elliptic = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    commands = [
        ["req", "-x509", *elliptic, "-keyout", "ca.key", "-out", "ca.pem", "-days", "30", "-subj", "/CN=bench authority", "-config", "ca.cnf", "-extensions", "ca"],
        ["req", *elliptic, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost", "-config", "ca.cnf"],
        ["x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", "server.pem", "-days", "30", "-extfile", "ca.cnf",
         "-extensions", "leaf"],
    ]
    for command in commands:
        subprocess.run(["openssl", *command], cwd=folder, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return folder / "ca.pem", folder / "server.pem", folder / "server.key"


CONFIGURATION = """{user}
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    default_type application/octet-stream;
    sendfile on;
    tcp_nopush on;
    tcp_nodelay on;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    client_max_body_size 0;
    open_file_cache max=1000 inactive=1h;
    client_body_temp_path {folder}/tmp-body; proxy_temp_path {folder}/tmp-proxy; fastcgi_temp_path {folder}/tmp-fastcgi;
    uwsgi_temp_path {folder}/tmp-uwsgi; scgi_temp_path {folder}/tmp-scgi;
    ssl_protocols TLSv1.3;
    ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
    ssl_session_cache shared:tls:8m;
    ssl_session_tickets on;
    server {{
        listen 127.0.0.1:{http} sndbuf=256k backlog=4096;
        {tls}
        root {folder}/objects;
{locations}
    }}
}}
"""

# A bucket asked for by its name alone answers with a page of keys: one key for those who only look whether it is there.
LISTING = """        location = /{bucket}{slash} {{
            default_type application/xml;
            if ($args ~ max-keys=1(&|$)) {{ rewrite ^ /{bucket}.one.xml break; }}
            try_files /{bucket}.xml =404;
        }}"""


class Nginx:
    """nginx in front of a bucket for each size: `http` and `https` are its endpoints (`https` None without openssl), `ca` the authority to trust."""

    def __init__(self, binary, folder, cpus, keys_listed):
        self.folder, self.ca, self.https = folder, None, None
        for name in ("objects", f"objects/{RESULTS}"):
            (folder / name).mkdir(parents=True)
        self._lay_out(keys_listed)
        http, https = free_port(), free_port()
        tls = ""
        with contextlib.suppress(OSError, subprocess.CalledProcessError):
            self.ca, chain, key = certificate(folder)
            tls = f"listen 127.0.0.1:{https} sndbuf=256k ssl backlog=4096; ssl_certificate {chain}; ssl_certificate_key {key};"
            self.https = f"https://127.0.0.1:{https}"
        self.http = f"http://127.0.0.1:{http}"
        user = "user root;" if os.geteuid() == 0 else ""
        configuration = folder / "nginx.conf"
        configuration.write_text(CONFIGURATION.format(user=user, folder=folder, http=http, tls=tls, locations=self._locations()), encoding="utf-8")
        command = [binary, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(configuration)]
        with measure.held_to(cpus.server):
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            wait_for(http, self.process)
            self.pids = self._workers()
        except BaseException:
            self.close()
            raise

    def _workers(self):
        """Ids of the processes that serve: the first listens before they are there."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if found := measure.children(self.process.pid):
                return found
            time.sleep(0.02)
        raise RuntimeError("nginx started no worker")

    def _lay_out(self, keys_listed):
        """One file for each size: keys beyond number cost nothing."""
        files = {size: length for size, length in SIZES.items() if length is not None}
        files.update({f"lognormal-{i:02}": length for i, length in enumerate(lognormal_sizes())})
        for name, length in files.items():
            (self.folder / "objects" / f"{name}.bin").write_bytes(bytes(range(256)) * (length // 256) + bytes(length % 256))
        for size in SIZES:
            entries = objects(size, keys_listed.get(size, 1000))
            name = bucket(size)
            (self.folder / "objects" / f"{name}.xml").write_text(listing(name, entries), encoding="utf-8")
            (self.folder / "objects" / f"{name}.one.xml").write_text(listing(name, entries[:1]), encoding="utf-8")

    def _locations(self):
        lines = [LISTING.format(bucket=bucket(size), slash=slash) for size in SIZES for slash in ("", "/")]
        lines += [f"        location /{bucket(size)}/ {{ try_files /{size}.bin =404; }}" for size, length in SIZES.items() if length is not None]
        lines += [f"        location /{bucket('lognormal')}/{i:02}/ {{ try_files /lognormal-{i:02}.bin =404; }}" for i in range(CLASSES)]
        lines.append(f"        location /{RESULTS}/ {{ dav_methods PUT; }}")
        return "\n".join(lines)

    def close(self):
        measure.end(self.process)


class Embedded:
    """`parfetch serve`: `environment` holds what a client needs to reach it."""

    def __init__(self, parfetch, folder, options, cpu):
        # Where its results bucket and what it says at the end are kept.
        command = [str(parfetch), "serve", "--anonymous", "--options", options, "--results-dir", str(folder / "served-results")]
        with measure.held_to(cpu):
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True)
        try:
            lines = [self.process.stdout.readline() for _ in range(5)]
            self.environment = dict(line.removeprefix("export ").strip().split("=", 1) for line in lines)
        except ValueError as error:
            self.close()
            raise RuntimeError(f"parfetch serve did not start with {options}") from error
        self.http = self.environment["AWS_ENDPOINT_URL"]
        self.pids = [self.process.pid]

    def close(self):
        measure.end(self.process)
        self.process.stdout.close()


def accepts(parfetch, option):
    """Whether this parfetch's embedded server knows an option."""
    done = subprocess.run([str(parfetch), "run", f"--embedded=objects=1,{option}", "--out", os.devnull], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True, check=False)
    return "is not a key" not in done.stderr


def scratch():
    """Where to make temporary folders: memory when there is a file system of it with room, so that no disk has a part in what is measured."""
    place = pathlib.Path("/dev/shm")
    with contextlib.suppress(OSError):
        if os.access(place, os.W_OK) and shutil.disk_usage(place).free > 4 << 30:
            return place
    return None
