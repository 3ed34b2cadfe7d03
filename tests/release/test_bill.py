"""The bill of materials: what is in the archive of an image, no more, no less, and what the lock says of it."""

import json
from pathlib import Path
from typing import Any

import pytest

from release import packages, sbom
from release.packages import Package
from sandbox import archive
from sandbox.archive import File, Image
from sandbox.layout import CHECKOUT

STATUS = """\
Package: libc6
Status: install ok installed
Architecture: amd64
Version: 1:2.36-9+deb12u13
Description: C library
 and more of it

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1.0
"""
HEY = "Package: hey\nArchitecture: amd64\nVersion: 0.1.4-1\n"
FLASK = "Metadata-Version: 2.4\nName: Flask\nVersion: 3.1.3\nLicense-Expression: BSD-3-Clause\n\nName: of the text\n"
CLIENT = "Name: prometheus_client\nVersion: 0.26.0\nLicense: Apache Software License 2.0\n"
LOCK = f"""\
flask==3.1.3 \\
    --hash=sha256:{"a" * 64} \\
    --hash=sha256:{"b" * 64}
    # via detour (pyproject.toml)
prometheus-client==0.26.0 ; python_version > '3' \\
    --hash=sha256:{"c" * 64}
"""


def metadata(name: str, text: str, folder: str = "packages") -> File:
    return File(f"/opt/detour/{folder}/{name}.dist-info/METADATA", content=text, mode=0o644)


def packed(target: Path, *layers: tuple[File, ...]) -> Path:
    archive.write(target, [Image(names=("example.org/a:1",), layers=layers)])
    return target


@pytest.fixture
def image(tmp_path: Path) -> Path:
    base = (File("/var/lib/dpkg/status", content=STATUS), metadata("pip-23.0", "Name: pip\n", "elsewhere"))
    brought = (File("/var/lib/dpkg/status.d/hey", content=HEY),)
    return packed(tmp_path / "a.tar", base, (metadata("flask-3.1.3", FLASK), metadata("p-0", CLIENT)), brought)


def bill(image: Path, tmp_path: Path) -> dict[str, Any]:
    lock = tmp_path / "lock"
    lock.write_text(LOCK)
    text = sbom.bill("detour.dev/detour", "1.2.3", packages.read(image), sbom.locked(lock), epoch=0)
    value: dict[str, Any] = json.loads(text)
    return value


def test_the_packages_of_debian_and_of_python_are_found_and_what_was_removed_is_not(image: Path) -> None:
    assert packages.read(image).packages == (
        Package("deb", "hey", "0.1.4-1", architecture="amd64"),
        Package("deb", "libc6", "1:2.36-9+deb12u13", architecture="amd64"),
        Package("pypi", "flask", "3.1.3", "BSD-3-Clause"),
        Package("pypi", "prometheus-client", "0.26.0", "Apache Software License 2.0"),
    )


def test_what_a_later_layer_takes_away_is_not_in_the_image(tmp_path: Path) -> None:
    gone = File("/opt/detour/packages/.wh.flask-3.1.3.dist-info", content="")
    image = packed(tmp_path / "b.tar", (metadata("flask-3.1.3", FLASK), metadata("flask-3.1.30", CLIENT)), (gone,))
    assert [package.name for package in packages.read(image).packages] == ["prometheus-client"]


def test_what_a_later_layer_writes_counts(tmp_path: Path) -> None:
    newer = metadata("flask", FLASK.replace("3.1.3", "3.2.0"))
    image = packed(tmp_path / "c.tar", (metadata("flask", FLASK),), (newer,))
    assert [package.version for package in packages.read(image).packages] == ["3.2.0"]


def test_each_package_has_an_address_that_tools_know(image: Path, tmp_path: Path) -> None:
    assert [component["purl"] for component in bill(image, tmp_path)["components"]] == [
        "pkg:deb/debian/hey@0.1.4-1?arch=amd64&distro=debian-12",
        "pkg:deb/debian/libc6@1%3A2.36-9%2Bdeb12u13?arch=amd64&distro=debian-12",
        "pkg:pypi/flask@3.1.3",
        "pkg:pypi/prometheus-client@0.26.0",
    ]


def test_a_package_of_python_has_the_hashes_of_the_lock(image: Path, tmp_path: Path) -> None:
    *_, flask, client = bill(image, tmp_path)["components"]
    assert flask["externalReferences"][0]["hashes"] == [
        {"alg": "SHA-256", "content": "a" * 64},
        {"alg": "SHA-256", "content": "b" * 64},
    ]
    assert client["externalReferences"][0]["hashes"] == [{"alg": "SHA-256", "content": "c" * 64}]


def test_a_package_that_the_lock_does_not_know_makes_no_bill(tmp_path: Path) -> None:
    image = packed(tmp_path / "d.tar", (metadata("stray", "Name: stray\nVersion: 1\n"),))
    with pytest.raises(KeyError, match="stray"):
        bill(image, tmp_path)


def test_a_licence_is_an_expression_where_it_is_one_and_a_name_otherwise(image: Path, tmp_path: Path) -> None:
    *_, flask, client = bill(image, tmp_path)["components"]
    assert flask["licenses"] == [{"expression": "BSD-3-Clause"}]
    assert client["licenses"] == [{"license": {"name": "Apache Software License 2.0"}}]


def test_the_bill_names_the_image_by_its_id_and_the_same_image_has_the_same_bill(image: Path, tmp_path: Path) -> None:
    first = bill(image, tmp_path)
    component = first["metadata"]["component"]
    assert (component["name"], component["version"]) == ("detour.dev/detour", "1.2.3")
    assert component["hashes"] == [{"alg": "SHA-256", "content": packages.read(image).identity}]
    assert bill(image, tmp_path) == first
    other = packed(tmp_path / "e.tar", (metadata("flask", FLASK),))
    assert bill(other, tmp_path)["serialNumber"] != first["serialNumber"]


def test_the_lock_of_the_checkout_has_a_hash_for_every_package() -> None:
    hashes = sbom.locked(CHECKOUT / "requirements.lock")
    assert {"flask", "gunicorn", "kubernetes"} <= hashes.keys()
    assert all(hashes.values())
