#!/usr/bin/python3
"""rest-submit SOCKET CONTAINER SCRIPT OUTPUT: submits a batch job to a slurmrestd, and prints its id."""
import http.client
import json
import os
import socket
import sys


def request(path, body=None):
    c = http.client.HTTPConnection("localhost")
    c.sock = socket.socket(socket.AF_UNIX)
    c.sock.connect(sys.argv[1])
    c.request("POST" if body else "GET", path, json.dumps(body) if body else None, {"Content-Type": "application/json"})
    r = c.getresponse()
    return r.status, r.read().decode()


def newest():
    for v in range(50, 35, -1):
        if request(f"/slurm/v0.0.{v}/ping")[0] == 200:
            return v
    sys.exit("no version of the API that this program knows")


version = newest()
env = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "SLURM_CONF": os.environ["SLURM_CONF"]}
with open(sys.argv[3], encoding="ascii") as f:
    script = f.read()
job = {
    "name": "rest",
    "container": sys.argv[2],
    "current_working_directory": os.environ.get("REST_CWD", os.environ["HOME"]),
    "standard_output": sys.argv[4],
    "environment": env if version < 39 else [f"{k}={v}" for k, v in env.items()],
}
status, text = request(f"/slurm/v0.0.{version}/job/submit", {"script": script, "job": job})
answer = json.loads(text)
if status != 200 or not answer.get("job_id"):
    sys.exit(f"v0.0.{version}: {status} {text[:2000]}")
print(answer["job_id"])
