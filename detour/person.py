"""What every command of a person shares: which cluster, which namespace, which Canary is meant."""

import os
from pathlib import Path
from typing import Any

import click

from analyzer.kube.client import Client, namespace_of_context
from analyzer.kube.errors import NoCluster
from analyzer.kube.resources import CANARIES
from analyzer.spec import target_of

Object = dict[str, Any]


def connect(kubeconfig: str | None) -> Client:
    """The cluster of the kubeconfig, as kubectl would choose it."""
    try:
        return Client.connect(kubeconfig or _default_kubeconfig())
    except NoCluster as error:
        raise click.ClickException(f"no cluster: {error}; name one by --kubeconfig or $KUBECONFIG") from error


def namespace_of(kubeconfig: str | None, namespace: str | None) -> str:
    """The namespace named, else that of the kubeconfig's current context, else `default`."""
    if namespace:
        return namespace
    return namespace_of_context(kubeconfig or _default_kubeconfig()) or "default"


def canary_of(client: Client, namespace: str, name: str) -> Object:
    """The Canary whose target is `name` (`podinfo`, `deploy/podinfo`, `deployment/podinfo` or `canary/podinfo`)."""
    kind, _, plain = name.rpartition("/")
    found = client.list(CANARIES, namespace).get("items") or []
    for canary in found:
        if (canary["metadata"]["name"] if kind.startswith("canar") else target_of(canary)) == plain:
            return dict(canary)
    raise click.ClickException(
        f"no Canary for {name} in namespace {namespace}; kubectl -n {namespace} get canaries shows those that there are"
    )


def _default_kubeconfig() -> str:
    return os.environ.get("KUBECONFIG") or str(Path.home() / ".kube" / "config")
