"""`detour demo`: the options, and the exit status."""

import os
import shutil
import sys
from pathlib import Path

import click
import urllib3

from detour.demo import scenario
from detour.demo.kubectl import DemoError
from detour.demo.report import problems, summary
from detour.demo.venue import PROMETHEUS_IMAGE
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


def is_the_sandboxs(kubeconfig: str) -> bool:
    """Whether a kubeconfig is the sandbox's own."""
    return Path(kubeconfig).absolute() == (SANDBOX / "kubeconfig").absolute()


def sandboxs_ingress() -> str:
    """Where the sandbox publishes its Ingress controller."""
    return f"http://127.0.0.1:{os.environ.get('DETOUR_SANDBOX_HTTP_PORT', '8080')}"


def an_address(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """The value, if it can be one. Raises BadParameter."""
    if value is not None and urllib3.util.parse_url(value).scheme not in ("http", "https"):
        raise click.BadParameter(f"{value!r} is no address; write it like http://127.0.0.1:8080")
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
    callback=an_address,
    help="the Ingress controller, as reached from here; outside of the sandbox it is found",
)
@click.option(
    "--prometheus-in-cluster",
    callback=an_address,
    help="one that scrapes pods every second, as the analyzer reaches it; by default the demo brings its own",
)
@click.option("--prometheus-image", default=PROMETHEUS_IMAGE, show_default=True, help="of the one that it brings")
@click.option("--ingress-class", default="", help="by default one that is known to split requests")
@click.option("--plain", is_flag=True, help="lines instead of a picture, as without a terminal")
@click.option("--keep", is_flag=True, help="leave namespace detour-demo for a look around")
def command(
    kubeconfig: str,
    kubectl: str,
    ingress: str | None,
    prometheus_in_cluster: str | None,
    prometheus_image: str,
    ingress_class: str,
    plain: bool,
    keep: bool,
) -> None:
    """Ship a good and a bad version on live traffic, and account for every request.

    In any cluster that is fit for Detour (detour doctor). All that it makes is in namespace detour-demo, which goes.

    Exits 1 if a request failed, if the primary ever ran what was not proven, or if a version did not end as it
    should; 2 if the demo cannot be run.
    """
    here = is_the_sandboxs(kubeconfig)
    settings = scenario.Settings(
        kubeconfig,
        kubectl,
        here,
        ingress or (sandboxs_ingress() if here else ""),
        prometheus_in_cluster or "",
        prometheus_image,
        ingress_class,
        keep,
    )
    try:
        report = scenario.play(settings, choose(plain))
    except (DemoError, TimeoutError) as error:
        click.echo(f"detour demo: {error}", err=True)
        sys.exit(2)
    for line in summary(report):
        click.echo(line)
    sys.exit(1 if problems(report) else 0)
