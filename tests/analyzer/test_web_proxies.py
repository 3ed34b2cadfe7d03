"""Calls by a proxy, over real connections: it is the proxy that is connected to, and so the proxy that is judged."""

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from analyzer.addresses import Addresses
from analyzer.web import Answer, NoAnswer, Session
from certs.authority import issue_ca, issue_serving
from tests.analyzer.mock_prometheus import LOOPBACK, Mock, pretending, send

NAME = "chat.example"


@dataclass
class Proxy:
    """Tunnels to one place, whatever name it is asked for (RFC 9110, 9.3.6); `heads` are the requests' first lines."""

    port: int
    to: int = 0
    heads: list[bytes] = field(default_factory=list)
    silent: bool = False

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def serve(self, client: socket.socket) -> None:
        """One connection."""
        with closing(client), suppress(OSError):
            self.heads.append(client.recv(4096))
            if self.silent:
                client.recv(1)
                return
            with socket.create_connection(("127.0.0.1", self.to)) as server:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                both = (client, server)
                while True:
                    for ready in select.select(both, (), ())[0]:
                        if not (data := ready.recv(65536)):
                            return
                        both[ready is client].sendall(data)


@contextmanager
def tunnelling() -> Iterator[Proxy]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        proxy = Proxy(listening.getsockname()[1])

        def accept() -> None:
            with suppress(OSError):
                while True:
                    threading.Thread(target=proxy.serve, args=(listening.accept()[0],), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield proxy


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with tunnelling() as found:
        yield found


@pytest.fixture
def chat(tmp_path: Path, proxy: Proxy) -> Iterator[Mock]:
    """Behind the proxy, with a certificate for its name; `tmp_path / "ca.pem"` has signed it."""
    now = datetime.now(UTC)
    authority = issue_ca(now)
    pair = issue_serving(authority, [NAME], now)
    (tmp_path / "pair.pem").write_bytes(pair.key + pair.certificate)
    (tmp_path / "ca.pem").write_bytes(authority.certificate)
    with pretending(tmp_path / "pair.pem") as mock:
        mock.behaviour = lambda handler: send(handler, 200, b"fine")
        proxy.to = mock.port
        yield mock


def fetch(url: str, by: str, addresses: Addresses = LOOPBACK, seconds: float = 2, **options: Any) -> Answer:
    with Session(addresses) as session:
        proxies = {"http": by, "https": by}
        return session.fetch("GET", url, seconds=seconds, largest=100, proxies=proxies, **options)


def test_a_call_with_tls_goes_through_a_tunnel_and_the_certificate_is_the_services(
    chat: Mock, proxy: Proxy, tmp_path: Path
) -> None:
    answer = fetch(f"https://{NAME}/hook?token=s3cret", proxy.address, verify=str(tmp_path / "ca.pem"))
    assert answer.body == b"fine"
    assert chat.asked[0][1] == "/hook"
    assert proxy.heads[0].startswith(f"CONNECT {NAME}:443 HTTP/1".encode())
    assert b"s3cret" not in proxy.heads[0]


def test_a_certificate_for_another_name_is_refused(chat: Mock, proxy: Proxy, tmp_path: Path) -> None:
    with pytest.raises(NoAnswer, match="certificate verify failed"):
        fetch("https://other.example/", proxy.address, verify=str(tmp_path / "ca.pem"))
    assert not chat.asked


def test_the_proxys_own_credentials_are_sent_to_it_and_not_told(chat: Mock, proxy: Proxy, tmp_path: Path) -> None:
    by = proxy.address.replace("127", "user:s3cret@127")
    assert fetch(f"https://{NAME}/", by, verify=str(tmp_path / "ca.pem")).status == 200
    assert b"Proxy-Authorization: Basic" in proxy.heads[0]
    assert "Proxy-Authorization" not in chat.asked[0][3]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_may_not_be_called_is_not_connected_to(proxy: Proxy, scheme: str) -> None:
    with pytest.raises(NoAnswer, match=r"127\.0\.0\.1 is the loopback and may not be called"):
        fetch(f"{scheme}://{NAME}/", proxy.address, Addresses())
    assert not proxy.heads


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_says_nothing_is_waited_for_in_vain_and_not_longer(proxy: Proxy, scheme: str) -> None:
    proxy.silent = True
    with pytest.raises(NoAnswer, match=r"^no answer in time$"):
        fetch(f"{scheme}://{NAME}/", proxy.address, seconds=0.3)


def test_the_name_of_the_service_is_looked_up_by_the_proxy_alone(
    chat: Mock, proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    real = socket.getaddrinfo

    def look_up(host: str, *arguments: Any, **options: Any) -> Any:
        asked.append(host)
        return real(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    fetch(f"https://{NAME}/", proxy.address, verify=str(tmp_path / "ca.pem"))
    assert NAME not in asked
    assert chat.asked
