"""What anybody who reaches a port of ours can do to it.

Each attack is bounded in number and pace, runs against one address for a time, and takes whatever comes of it. They run
in a process of their own, so that who is measured meanwhile does not share an interpreter with them.
"""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.webhook.attacks import connections, requests
from tests.webhook.attacks.target import Attack

ROOT = Path(__file__).parents[3]
BEGUN = "begun\n"

ATTACKS: dict[str, Attack] = {
    "500 silent sockets": connections.silent,
    "500 sockets that send one byte": connections.one_byte,
    "500 half-closed sockets": connections.half_closed,
    "plain HTTP": connections.plain_text,
    "handshakes byte by byte": connections.slow_handshakes,
    "300 heads byte by byte": requests.slow_heads,
    "300 bodies byte by byte": requests.slow_bodies,
    "60 bodies of 7 MiB that stop after one": requests.slow_large_bodies,
    "too large a body, announced and never sent": requests.silent_after_too_much,
    "40 who do not read their answer": requests.deaf,
    "endless bodies": requests.endless_bodies,
    "endless heads": requests.endless_heads,
    "bodies of 7 and 8 MiB": requests.large_bodies,
    "50 bad reviews a second": requests.bad_reviews,
    "garbage": connections.garbage,
    "TLS 1.0 to 1.2, and handshakes within a connection": connections.old_tls,
    "200 connections a second, reset": connections.resets,
}
"""On the port of the webhook."""

PLAIN_ATTACKS: dict[str, Attack] = {
    "500 silent sockets": connections.silent,
    "500 sockets that send one byte": connections.one_byte,
    "500 half-closed sockets": connections.half_closed,
    "500 heads byte by byte": requests.slow_plain_heads,
    "endless heads": requests.endless_plain_heads,
    "100 who do not read their answer": requests.many_plain,
    "200 connections a second, reset": connections.resets,
}
"""On a plain port, of the webhook or of the analyzer."""

KINDS = {"tls": ATTACKS, "plain": PLAIN_ATTACKS}


@contextmanager
def under(kind: str, names: Iterable[str], host: str, port: int, seconds: float, *enter: str) -> Iterator[Counter[str]]:
    """While these attacks run, in a process of their own; `enter` is the command that starts it elsewhere.

    How many connections and requests each made is known afterwards.
    """
    command = [
        *enter,
        sys.executable,
        "-W",
        "ignore::DeprecationWarning",
        "-m",
        __name__,
        kind,
        host,
        str(port),
        str(seconds),
        *names,
    ]
    made: Counter[str] = Counter()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as attackers:
        assert attackers.stdout
        assert attackers.stdout.readline() == BEGUN, f"no attack has begun: {command}"
        try:
            yield made
        finally:
            told, _ = attackers.communicate(timeout=60)
            made.update(json.loads(told or "{}"))
    assert attackers.returncode == 0, f"an attack broke down: {command}"
    assert made, "nobody has said what was done"
    assert all(made.values()), f"some did nothing: {dict(made)}"
