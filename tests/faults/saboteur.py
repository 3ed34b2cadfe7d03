"""A container beside podinfo, in its pod, that breaks it: what answers is podinfo, and what is wrong is ours."""

from tests.cluster.kubectl import Object

NAME = "saboteur"
IMAGE = "detour.dev/detour:dev"  # has a Python; every sandbox has it

_TOOLS = """
import os, re, socket, sys, time
from urllib.error import URLError
from urllib.request import urlopen

up = socket.create_server(("", 9899), backlog=4096)  # nobody accepts: that it listens is what its probe asks

def ask(path, body=None):
    try:
        return urlopen("http://127.0.0.1:9898" + path, body, timeout=10).read().decode()
    except (OSError, URLError):
        return ""

def answered():
    found = re.search(r'http_request_duration_seconds_count\\{[^}]*api_info[^}]*\\} (\\d+)', ask("/metrics"))
    return int(found[1]) if found else 0

def after_traffic(answers=5):
    while answered() < answers:
        time.sleep(0.2)
"""

CRASHES_UNDER_TRAFFIC = "while True: after_traffic(); ask('/panic'); time.sleep(1)"
EATS_MEMORY_UNDER_TRAFFIC = "while True: after_traffic(); ask('/echo', b'x' * 150_000_000); time.sleep(1)"
FLAPS_UNDER_TRAFFIC = """
after_traffic()
while True: ask('/readyz/disable', b''); time.sleep(6); ask('/readyz/enable', b''); time.sleep(1)
"""
ENDS_AS_PRIMARY = "time.sleep(0 if '-canary-' not in os.environ['HOSTNAME'] else 1e6); sys.exit(3)"


def beside(deployment: Object, script: str) -> Object:
    """The Deployment with a saboteur in its pods, which runs `script`; they are ready only when it is at work."""
    container = {
        "name": NAME,
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", "-c", f"{_TOOLS}\n{script}"],
        "readinessProbe": {"tcpSocket": {"port": 9899}, "periodSeconds": 1},
    }
    deployment["spec"]["template"]["spec"]["containers"].append(container)
    return deployment
