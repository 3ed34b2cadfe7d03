"""`detour webhook`: the admission webhook, put together."""

from pathlib import Path

import click

from detour import __version__, logs
from webhook.decision import CANARY, DIRECT, Settings
from webhook.server import Server, serve


@click.command("webhook")
@click.option("--certificates", type=click.Path(path_type=Path), required=True, help="where tls.crt and tls.key appear")
@click.option("--analyzer", required=True, help="the user name that the analyzer's requests come under")
@click.option("--port", default=8443, show_default=True, help="TLS, for the API server")
@click.option("--health-port", default=8081, show_default=True, help="plain HTTP: /healthz, /readyz, /metrics")
@click.option("--rollback", type=click.Choice([DIRECT, CANARY]), default=DIRECT, show_default=True)
@click.option("--restart", type=click.Choice([DIRECT, CANARY]), default=DIRECT, show_default=True)
@click.option("--enforce", is_flag=True, help="the analyzer alone changes templates (with manifests/enforce)")
@logs.options
def command(
    certificates: Path,
    analyzer: str,
    port: int,
    health_port: int,
    rollback: str,
    restart: str,
    enforce: bool,
    log_level: str,
    log_format: str,
) -> None:
    """Answer the API server: which updates take a detour."""
    logs.configure(log_level, log_format)
    serve(Server(certificates, port, health_port, version=__version__), Settings(analyzer, rollback, restart, enforce))
