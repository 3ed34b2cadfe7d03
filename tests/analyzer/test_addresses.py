"""Which addresses a user may have called, by every way of writing them."""

from ipaddress import ip_address

import pytest

from analyzer.addresses import Addresses

SERVER = (ip_address("10.96.0.1"), 443)
REFUSED = [
    "127.0.0.1",
    "127.8.8.8",
    "::1",
    "0.0.0.0",
    "0.1.2.3",
    "::",
    "169.254.169.254",
    "169.254.0.1",
    "fe80::1",
    "fe80::1%eth0",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "fd00:ec2::254",
    "224.0.0.1",
    "ff02::1",
    "255.255.255.255",
    "::ffff:127.0.0.1",
    "::ffff:a9fe:a9fe",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "10.96.0.1",
    "::ffff:10.96.0.1",
]
USUAL = [
    "10.0.0.1",
    "10.96.0.2",
    "172.16.0.1",
    "192.168.1.1",
    "93.184.216.34",
    "2001:db8::1",
    "fd12:3456::1",
    "240.0.0.1",
]


@pytest.mark.parametrize("address", REFUSED)
def test_what_answers_only_its_neighbours_is_refused_and_the_remedy_named(address: str) -> None:
    said = Addresses().beside([SERVER]).refusal("gate.example", address, 443)
    assert "may not be called, unless the analyzer is started with --allow-address=" in said


@pytest.mark.parametrize("address", USUAL)
def test_pods_services_and_the_rest_of_the_world_may_be_called(address: str) -> None:
    assert Addresses().beside([SERVER]).refusal("gate.example", address, 443) == ""


def test_the_api_servers_machine_may_have_other_ports() -> None:
    assert Addresses().beside([SERVER]).refusal("10.96.0.1", "10.96.0.1", 9090) == ""


@pytest.mark.parametrize("allowed", ["169.254.169.254", "169.254.0.0/16", "metadata.internal", "Metadata.Internal."])
def test_the_operator_allows_by_address_network_or_name(allowed: str) -> None:
    addresses = Addresses.allowing("10.0.0.0/8", allowed)
    for written in ("169.254.169.254", "::ffff:169.254.169.254"):
        assert addresses.refusal("metadata.internal", written, 80) == ""
    assert addresses.refusal("other.internal", "127.0.0.1", 80)


def test_a_name_is_allowed_for_itself_alone() -> None:
    addresses = Addresses.allowing("metadata.internal")
    for other in ("metadata.internal.evil.example", "a.metadata.internal", "169.254.169.254"):
        assert addresses.refusal(other, "169.254.169.254", 80)


@pytest.mark.parametrize("text", ["", "10.0.0.0/33", "http://prometheus:9090", "prometheus:9090"])
def test_what_is_no_address_cannot_be_allowed(text: str) -> None:
    with pytest.raises(ValueError, match="is no address, network or name"):
        Addresses.allowing(text)
