"""`detour retry`: let a rejected revision run once more, unchanged.

It acts on the Canary, under the person's own permissions; the analyzer does the rest.
"""

import secrets

import click

from analyzer.kube.errors import ApiError, Unreachable
from analyzer.kube.resources import CANARIES
from analyzer.wishes import Verb, annotations_for
from detour import person


@click.command("retry")
@click.argument("name")
@click.option("--namespace", "-n")
@click.option("--kubeconfig")
def command(name: str, namespace: str | None, kubeconfig: str | None) -> None:
    """Run the rejected revision of Deployment NAME again."""
    where = person.namespace_of(kubeconfig, namespace)
    try:
        client = person.connect(kubeconfig)
        canary = person.canary_of(client, where, name)
        revision = (canary.get("status") or {}).get("revision", "")
        if revision not in ((canary.get("status") or {}).get("rejected") or ()):
            raise click.ClickException(f"nothing to retry: the last revision of {name} was not rejected")
        wish = {"metadata": {"annotations": annotations_for(Verb.RETRY, revision, secrets.token_hex(4), by="")}}
        client.merge(CANARIES, where, canary["metadata"]["name"], wish)
    except (ApiError, Unreachable) as error:
        raise click.ClickException(str(error)) from error
    click.echo(
        f"revision {revision[:10]} runs again; watch: kubectl -n {where} get canary {canary['metadata']['name']} -w"
    )
