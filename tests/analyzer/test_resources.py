"""Names that users write become parts of paths, and lead nowhere else."""

import pytest

from analyzer.kube.errors import NotFound
from analyzer.kube.resources import CONFIG_MAPS, NAMESPACES


def test_an_object_a_subresource_and_a_collection_have_paths() -> None:
    assert CONFIG_MAPS.path("shop", "settings") == "/api/v1/namespaces/shop/configmaps/settings"
    assert CONFIG_MAPS.path("shop", "a.b:c", "status") == "/api/v1/namespaces/shop/configmaps/a.b:c/status"
    assert (CONFIG_MAPS.path("shop"), CONFIG_MAPS.path()) == (
        "/api/v1/namespaces/shop/configmaps",
        "/api/v1/configmaps",
    )
    assert NAMESPACES.path("", "shop") == "/api/v1/namespaces/shop"


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../../other/configmaps/x",
        "a/b",
        "a?dryRun=All",
        "a#b",
        "%2e%2e",
        "a\\b",
        "a b",
        "a\n",
    ],
)
def test_a_name_cannot_lead_into_another_namespace(name: str) -> None:
    """The HTTP library resolves `..` before it sends a path."""
    with pytest.raises(NotFound, match="no object can have that name"):
        CONFIG_MAPS.path("shop", name)
