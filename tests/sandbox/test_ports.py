"""The ports on the host's loopback: chosen by variables, and whoever has a taken one is named."""

import os
import socket

import pytest

from sandbox import ports
from sandbox.errors import UserError
from sandbox.layout import Ports


def _free_ports() -> Ports:
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(4)]
    numbers = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return Ports(*numbers)


def test_the_ports_have_defaults() -> None:
    assert Ports.from_environment({}) == Ports(api=6443, http=8080, https=8443, prometheus=9090)


def test_a_variable_moves_a_port() -> None:
    assert Ports.from_environment({"DETOUR_SANDBOX_HTTP_PORT": "18080"}) == Ports(http=18080)


@pytest.mark.parametrize("text", ["http", "0", "65536", "-1", "80 80"])
def test_what_is_no_port_is_refused_by_the_name_of_its_variable(text: str) -> None:
    with pytest.raises(UserError, match="DETOUR_SANDBOX_HTTPS_PORT"):
        Ports.from_environment({"DETOUR_SANDBOX_HTTPS_PORT": text})


def test_every_port_is_taken_on_the_loopback_only() -> None:
    wanted = _free_ports()
    with ports.taken(wanted) as listeners:
        assert [listener.getsockname() for listener, _ in listeners] == [
            ("127.0.0.1", port) for port in (wanted.api, wanted.http, wanted.https, wanted.prometheus)
        ]


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
def test_who_holds_a_taken_port_is_named(address: str) -> None:
    wanted = _free_ports()
    with socket.create_server((address, wanted.http)):
        with pytest.raises(UserError) as failure, ports.taken(wanted):
            pass
        sentence = str(failure.value)
        assert f"port {wanted.http} of 127.0.0.1 is taken by" in sentence
        assert f"(process {os.getpid()})" in sentence
        assert "DETOUR_SANDBOX_HTTP_PORT" in sentence


def test_a_refused_start_leaves_no_port_taken() -> None:
    wanted = _free_ports()
    with socket.create_server(("127.0.0.1", wanted.prometheus)), pytest.raises(UserError), ports.taken(wanted):
        pass
    with ports.taken(wanted) as listeners:
        assert len(listeners) == 4
