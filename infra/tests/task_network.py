"""What a Fargate task finds in its network, for a container that shares this one: `unshare -n python3 task_network.py PARFETCH FOLDER`.

169.254.170.2 answers for the role's credentials and for metadata, version 4; a store (`parfetch serve`) takes those credentials alone. FOLDER gets the
`variables` of a container, what was `asked`, and the `results`; the file `ready` comes last.
"""

import datetime
import http.server
import json
import pathlib
import re
import signal
import subprocess
import sys

ADDRESS = "169.254.170.2"
CREDENTIALS = "/v2/credentials/0123456789abcdef"
METADATA = "/v4/0123456789abcdef"
DATA = pathlib.Path(__file__).resolve().parents[2] / "tests" / "data"


def main(program, folder):
    folder.mkdir()
    for command in ("ip link set lo up", f"ip addr add {ADDRESS}/32 dev lo"):
        subprocess.run(command.split(), check=True)
    results = folder / "results"
    serve = [program, "serve", "--options", "objects=20,size=16KiB", "--results-dir", results]
    store = subprocess.Popen(serve, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    signal.signal(signal.SIGTERM, lambda *_: (store.terminate(), store.wait(), sys.exit(0)))
    given = dict(re.fullmatch(r"export (\w+)=(.*)\n", store.stdout.readline()).groups() for _ in range(5))
    expires = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=6)
    role = {"AccessKeyId": given["AWS_ACCESS_KEY_ID"], "SecretAccessKey": given["AWS_SECRET_ACCESS_KEY"], "Token": "of-the-task"}
    answers = {
        CREDENTIALS: json.dumps({**role, "Expiration": expires.strftime("%Y-%m-%dT%H:%M:%SZ")}),
        f"{METADATA}/task": (DATA / "ecs_task.json").read_text(encoding="utf-8").replace('"CPU":4', '"CPU":2'),
        f"{METADATA}/task/stats": (DATA / "ecs_task_stats.json").read_text(encoding="utf-8"),
    }

    class Agent(http.server.BaseHTTPRequestHandler):
        def do_GET(self):  # noqa: N802 (its name there)
            with (folder / "asked").open("a", encoding="utf-8") as asked:
                asked.write(f"{self.path}\n")
            body = answers.get(self.path, "").encode()
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Says nothing."""

    variables = {name: given[name] for name in ("AWS_ENDPOINT_URL", "BUCKET_NAME", "RESULT_BUCKET_NAME")}
    variables["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = CREDENTIALS
    variables["ECS_CONTAINER_METADATA_URI_V4"] = f"http://{ADDRESS}{METADATA}"
    variables["AWS_REGION"] = "us-east-1"
    (folder / "variables").write_text("".join(f"{name}={value}\n" for name, value in variables.items()), encoding="utf-8")
    server = http.server.ThreadingHTTPServer((ADDRESS, 80), Agent)
    (folder / "ready").touch()
    server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1], pathlib.Path(sys.argv[2]))
