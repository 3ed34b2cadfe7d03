"""What lies in the CA's Secret, and what is said when something else lies there."""

from datetime import timedelta
from pathlib import Path

import pytest

from certs.authority import expires_at, issue_ca
from certs.errors import UnreadableCA
from certs.material import Material, decode, encode
from tests.certs.world import BEGIN, installed


def test_the_secret_is_read_as_it_was_written() -> None:
    one, two = issue_ca(BEGIN), issue_ca(BEGIN)
    for material in (
        Material(one),
        Material(one, successor=two),
        Material(one, successor=two, published=BEGIN + timedelta(microseconds=1)),
        Material(one, retired=two.certificate, retired_until=expires_at(two.certificate)),
    ):
        assert decode(encode(material)) == material


def test_a_secret_with_other_content_is_named_with_the_remedy_and_left_alone(tmp_path: Path) -> None:
    cluster, (pod,) = installed(tmp_path)
    whole = dict(cluster.secret or {})
    other = issue_ca(BEGIN)
    cases: list[tuple[dict[str, bytes], str]] = [
        ({}, "ca.crt: it is missing"),
        (whole | {"ca.crt": b"rubbish"}, "ca.crt"),
        (whole | {"ca.key": b"rubbish"}, "ca.key: it is not a private key"),
        (whole | {"ca.key": other.key}, "ca.key: it does not belong to ca.crt"),
        (whole | {"successor.crt": other.certificate}, "successor.key"),
        (whole | {"retired.until": b"soon"}, "retired.until: it is not a time"),
        (whole | {"retired.until": b"2026-03-01"}, "retired.until: it has no time zone"),
    ]
    for data, reason in cases:
        cluster.secret = data
        with pytest.raises(UnreadableCA, match=f"{reason}.*delete the Secret"):
            pod.run()
        assert cluster.secret == data
