"""The process that the attacks have for their own: all of them at once, or those that are named.

`python -m tests.webhook.attacks tls|plain HOST PORT SECONDS [NAME...]`: to the port of the webhook, or to a plain one.
"""

import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from tests.webhook.attacks import BEGUN, KINDS
from tests.webhook.attacks.target import Target


def main(kind: str, host: str, port: str, seconds: str, *names: str) -> None:
    """Ends early when its standard input does. Prints how many connections and requests each made."""
    attacks = KINDS[kind]
    target = Target(host, int(port), time.monotonic() + float(seconds))
    threading.Thread(target=_until_eof, args=[target.stopped], daemon=True).start()
    print(BEGUN, end="", flush=True)
    with ThreadPoolExecutor(len(attacks)) as pool:
        running = {name: pool.submit(attacks[name], target) for name in names or attacks}
    print(json.dumps({name: done.result() for name, done in running.items()}))


def _until_eof(stopped: threading.Event) -> None:
    sys.stdin.read()
    stopped.set()


if __name__ == "__main__":
    main(*sys.argv[1:])
