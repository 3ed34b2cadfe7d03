"""One alert on its way to one place: a single try, within seconds."""

from datetime import UTC, datetime
from urllib.parse import urlsplit

from requests.exceptions import InvalidHeader

from analyzer import web
from analyzer.addresses import Addresses
from analyzer.alerts.alert import Alert, Destination
from analyzer.alerts.service import SERVICES, judged
from analyzer.courier import Answer, Later, Never

TIMEOUT = 10.0  # seconds
LARGEST_ANSWER = 4096  # bytes


def post(alert: Alert, to: Destination, addresses: Addresses) -> Answer:
    """Send it, and say what came of that. Never raises.

    What is connected to is judged by `addresses`: the service's own, or the proxy's, who judges the service's.
    """
    service = SERVICES[to.kind]
    address = service.address(to.address)
    host = urlsplit(to.proxy or address).hostname  # the address itself is a secret
    try:
        with web.Session(addresses) as session:
            answer = session.fetch(
                "POST",
                address,
                json=service.body(alert, to),
                headers={"Authorization": f"Bearer {to.token}"} if to.token else {},
                proxies={"http": to.proxy, "https": to.proxy} if to.proxy else {},
                seconds=TIMEOUT,
                largest=LARGEST_ANSWER,
            )
    except web.NoAnswer as error:
        return Later(f"{host}: {error}")
    except (InvalidHeader, UnicodeError):
        return Never(f"{host}: what is to be sent there cannot be sent; check address and token")
    return judged(to.kind, answer, datetime.now(UTC))
