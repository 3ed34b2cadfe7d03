"""Where alerts of Canaries go that name nobody: the flags of Flagger's names, and its environment variables."""

import functools
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import urlsplit

import click

from analyzer.alerts.alert import Destination
from analyzer.alerts.providers import USERNAME, checked
from analyzer.fields import SpecError

log = logging.getLogger(__name__)


def _address(context: click.Context, option: click.Parameter, value: str) -> str:
    """A Secret's content, which the environment has, must not keep the analyzer from its work."""
    value = value.strip()
    try:
        return checked(value, option.opts[0]) if value else ""
    except SpecError as error:
        if context.get_parameter_source(option.name or "") is click.core.ParameterSource.ENVIRONMENT:
            log.error("%s: %s; no alerts are sent there", option.envvar, error.problem)
            return ""
        raise click.BadParameter(f"{error.problem}; {error.remedy}") from error


FLAGS = (
    click.option(
        "--slack-url",
        envvar="SLACK_URL",
        default="",
        callback=_address,
        help="incoming webhook of Slack, for all alerts",
    ),
    click.option("--slack-token", envvar="SLACK_TOKEN", default="", help="of a bot, if that address needs one"),
    click.option("--slack-user", default=USERNAME, show_default=True, help="name to write under"),
    click.option("--slack-channel", default="", help="by default that of the address; for a bot, general"),
    click.option(
        "--slack-proxy-url", envvar="SLACK_PROXY_URL", default="", callback=_address, help="HTTP proxy on the way there"
    ),
    click.option(
        "--msteams-url",
        envvar="MSTEAMS_URL",
        default="",
        callback=_address,
        help="workflow or connector of Microsoft Teams, for all alerts",
    ),
    click.option(
        "--msteams-proxy-url",
        envvar="MSTEAMS_PROXY_URL",
        default="",
        callback=_address,
        help="HTTP proxy on the way there",
    ),
    click.option("--cluster-name", default="", help="shown in alerts"),
)


@dataclass(frozen=True, slots=True)
class Chats:
    """The flags' values, by click's names."""

    slack_url: str = ""
    slack_token: str = ""
    slack_user: str = USERNAME
    slack_channel: str = ""
    slack_proxy_url: str = ""
    msteams_url: str = ""
    msteams_proxy_url: str = ""
    cluster_name: str = ""

    @property
    def destinations(self) -> Mapping[str, Destination]:
        """By the names under which they are stored in a Canary's status."""
        return {destination.kind: destination for destination in self._destinations()}

    @property
    def hosts(self) -> tuple[str, ...]:
        """What an operator names may be called."""
        addresses = (self.slack_url, self.slack_proxy_url, self.msteams_url, self.msteams_proxy_url)
        return tuple(host for address in addresses if (host := urlsplit(address).hostname))

    def _destinations(self) -> Iterator[Destination]:
        if self.slack_token and self.slack_proxy_url and not self.slack_url.startswith("https:"):
            log.error("SLACK_TOKEN: the proxy would read it, since the address is not https; no alerts are sent there")
        elif self.slack_url:
            yield Destination(
                "slack", self.slack_url, self.slack_channel, self.slack_user, self.slack_token, self.slack_proxy_url
            )
        if self.msteams_url:
            yield Destination("msteams", self.msteams_url, proxy=self.msteams_proxy_url)


def options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The flags, handed over as `chats`."""

    @functools.wraps(function)
    def collected(*arguments: Any, **flags: Any) -> Any:
        chats = Chats(**{each.name: flags.pop(each.name) for each in fields(Chats)})
        return function(*arguments, chats=chats, **flags)

    for flag in reversed(FLAGS):
        collected = flag(collected)
    return collected
