"""`detour demo`: the options, and the exit status."""

import os
import shutil
import sys
from pathlib import Path

import click
import urllib3

from detour.demo import scenario, stage
from detour.demo.kubectl import DemoError
from detour.demo.report import problems, summary
from detour.demo.view import choose

SANDBOX = Path(".sandbox")


def default_kubeconfig() -> str:
    """The sandbox's if it is there, else $KUBECONFIG, else kubectl's own."""
    sandbox = SANDBOX / "kubeconfig"
    return str(sandbox) if sandbox.is_file() else os.environ.get("KUBECONFIG") or str(Path.home() / ".kube" / "config")


def default_kubectl() -> str:
    """The sandbox's if it is there, else the one on the path."""
    sandbox = SANDBOX / "bin" / "kubectl"
    return str(sandbox.absolute()) if sandbox.is_file() else shutil.which("kubectl") or "kubectl"


def an_address(_: click.Context, parameter: click.Parameter, value: str) -> str:
    """The value, if it can be one. Raises BadParameter."""
    if urllib3.util.parse_url(value).scheme not in ("http", "https"):
        raise click.BadParameter(f"{value!r} is no address; write it like {parameter.default}")
    return value


def a_kubeconfig(_: click.Context, __: click.Parameter, value: str) -> str:
    """The value, if it names a file (or several, as $KUBECONFIG may). Raises BadParameter."""
    if not any(Path(path).is_file() for path in value.split(os.pathsep)):
        raise click.BadParameter(f"{value!r} is no file; `make up` makes the sandbox's")
    return value


@click.command("demo")
@click.option(
    "--kubeconfig",
    default=default_kubeconfig,
    callback=a_kubeconfig,
    help="of an admin; by default the sandbox's, else $KUBECONFIG",
)
@click.option("--kubectl", default=default_kubectl, help="by default the sandbox's, else the one on the path")
@click.option(
    "--ingress",
    default="http://127.0.0.1:8080",
    show_default=True,
    callback=an_address,
    help="the Ingress controller, as reached from here",
)
@click.option(
    "--prometheus-in-cluster",
    default=stage.PROMETHEUS,
    show_default=True,
    callback=an_address,
    help="as reached by the analyzer",
)
@click.option("--plain", is_flag=True, help="lines instead of a picture, as without a terminal")
@click.option("--keep", is_flag=True, help="leave namespace detour-demo for a look around")
def command(kubeconfig: str, kubectl: str, ingress: str, prometheus_in_cluster: str, plain: bool, keep: bool) -> None:
    """Ship a good and a bad version on live traffic, and account for every request.

    Exits 1 if a request failed, if the primary ever ran what was not proven, or if a version did not end as it
    should; 2 if the demo cannot be run.
    """
    settings = scenario.Settings(kubeconfig, kubectl, ingress, prometheus_in_cluster, keep)
    try:
        report = scenario.play(settings, choose(plain))
    except (DemoError, TimeoutError) as error:
        click.echo(f"detour demo: {error}", err=True)
        sys.exit(2)
    for line in summary(report):
        click.echo(line)
    sys.exit(1 if problems(report) else 0)
