"""The sandbox's command line: `python -m sandbox up | down | status`."""

import argparse
import sys

from sandbox.down import down
from sandbox.errors import UserError
from sandbox.install import HELM, KUSTOMIZE
from sandbox.status import status
from sandbox.up import up


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    bring = commands.add_parser("up", help="bring it up, with Detour in it")
    bring.add_argument("--bare", action="store_true", help="leave Detour out")
    bring.add_argument("--install", choices=[KUSTOMIZE, HELM], default=KUSTOMIZE, help="what installs Detour")
    commands.add_parser("down", help="take it away")
    commands.add_parser("status", help="what runs, and where")
    arguments = parser.parse_args()
    try:
        if arguments.command == "up":
            up(bare=arguments.bare, by=arguments.install)
        elif arguments.command == "down":
            down()
        else:
            print(status())
    except UserError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; the next 'up' or 'down' puts right what was left half done", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
