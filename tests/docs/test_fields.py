"""docs/fields.md is what the definitions say, and what it says of this version is so."""

from tests.docs.fields import CARRIED_OUT, IDLE, PAGE, effect, page
from tests.docs.pages import ROOT
from tests.manifests.rendered import definitions, fields


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "make docs, and look at what has changed"


def test_every_field_of_every_definition_for_users_is_on_it() -> None:
    text = page()
    for kind in CARRIED_OUT:
        schema = definitions()[kind]["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
        named = [path for path in fields(schema) if not path.endswith(("[]", "{}"))]
        assert named
        assert [path for path in named if f"| `{path}` |" not in text] == []


def test_what_is_said_to_be_carried_out_is_read_by_the_code_and_what_has_no_effect_is_not() -> None:
    """By the last part of its name, which is how the code asks for it."""
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "analyzer").rglob("*.py"))
    unread = {"revertOnDeletion", "primary"}  # about the copy that Flagger makes: there is none to be read
    for kind, known in CARRIED_OUT.items():
        names = {path.rpartition(".")[2] for path in known} - unread
        assert [name for name in names if f'"{name}"' not in code] == [], kind
    schema = definitions()["Canary"]["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    idle = {path.rpartition(".")[2] for path in schema["properties"] if effect("Canary", path) == IDLE}
    assert idle
    assert [name for name in idle if f'"{name}"' in code] == []
