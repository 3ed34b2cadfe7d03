"""People who type `detour`: with a kubeconfig of their own, and whatever roles they were given."""

import json
import subprocess
import sys
from pathlib import Path

from tests.cluster.kubectl import KUBECONFIG, ROOT, Object, Said
from tests.cluster.shop import OpenShop, Shop

GOOD, BAD = "vector(100)", "vector(98)"
QUICK = {"interval": "1s"}
SLOW = {"interval": "30s"}

Process = subprocess.Popen[str]


class Person:
    """Somebody in the namespace of a shop."""

    def __init__(self, shop: Shop, kubeconfig: Path = KUBECONFIG, user: str = "kubernetes-admin") -> None:
        self.user = user
        self._shop, self._kubeconfig = shop, kubeconfig

    def __call__(self, *arguments: str) -> Said:
        """What the command said, and how it ended."""
        process = self.begins(*arguments)
        out, err = process.communicate(timeout=180)
        return Said(out, err, process.returncode)

    def begins(self, *arguments: str) -> Process:
        """The command in the background."""
        where = ["-n", self._shop.namespace, "--kubeconfig", str(self._kubeconfig)]
        command = [sys.executable, "-u", "-m", "detour", *arguments, *where]
        return subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def kubectl(self, *arguments: str, stdin: str | None = None) -> Said:
        """kubectl as this person; a failure is for the test to judge."""
        return self._shop(f"--kubeconfig={self._kubeconfig}", *arguments, stdin=stdin, check=False)


def hire(shop: Shop, directory: Path, name: str, *roles: str) -> Person:
    """A ServiceAccount with these ClusterRoles in the shop's namespace, and its kubeconfig in `directory`."""
    shop("create", "serviceaccount", name)
    account = f"{shop.namespace}:{name}"
    for role in roles:
        shop("create", "rolebinding", f"{name}-{role}", f"--clusterrole={role}", f"--serviceaccount={account}")
    config = json.loads(KUBECONFIG.read_text())
    config["users"][0]["user"] = {"token": shop("create", "token", name).out.strip()}
    path = directory / name
    path.write_text(json.dumps(config))
    return Person(shop, path, f"system:serviceaccount:{account}")


def judged(open_shop: OpenShop, query: str, analysis: Object) -> Shop:
    """A shop whose only check always says the same."""
    shop = open_shop(analysis=analysis)
    judge_by(shop, query)
    return shop


def judge_by(shop: Shop, query: str) -> None:
    """From now on its check is this query."""
    shop.apply(shop.template() | {"spec": {**shop.template()["spec"], "query": query}})


def analysing(open_shop: OpenShop) -> Shop:
    """A shop that will have a canary of 25 % for the next half minute."""
    shop = judged(open_shop, GOOD, SLOW)
    shop.set_image("6.0.1")
    shop.until_weight(25)
    return shop
