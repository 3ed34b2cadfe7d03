"""Words of others: shown as one line that controls nothing, and known again though their ports vary."""

from analyzer.seen import Primary, Seen
from analyzer.status import Status, appended
from analyzer.wishes import Verb, Wish
from analyzer.wording import printable, shown, steady


def test_what_controls_a_terminal_is_left_out_and_a_break_is_a_space() -> None:
    assert printable("a\x1b[31mb\x07\nc\r\n\td \u202ee\x00 ü é ✓") == "a[31mb c d e ü é ✓"
    assert printable("as it is:  two spaces") == "as it is:  two spaces"


def test_every_text_of_a_look_is_cleaned_however_deep() -> None:
    wish = Wish("abort x t", Verb.ABORT, "2" * 64, by="ann\x1b[0m", reason="a\nb")
    seen = Seen("podinfo", "shop", Primary("1", subject={"by": "bob\x07", "images": ["a\x00"]}), wish=wish)
    clean = shown(seen)
    assert clean.wish == Wish("abort x t", Verb.ABORT, "2" * 64, by="ann[0m", reason="a b")
    assert clean.primary
    assert clean.primary.subject == {"by": "bob", "images": ["a"]}
    assert shown(Status()) == Status()


def test_what_comes_into_the_history_is_cleaned() -> None:
    entry = {"message": "let past\x1b]", "images": ["a\nb"]}
    assert appended((), entry) == ({"message": "let past]", "images": ["a b"]},)


def test_an_error_that_names_its_port_is_the_same_error_from_another() -> None:
    first = "dial tcp 10.0.0.1:40022->10.0.0.2:443: connection reset (request 7f3a-99)"
    assert steady(first, first.replace("40022", "51120").replace("7f3a", "0b1c")) == first
    assert steady(first, "a policy forbids it") == "a policy forbids it"
    assert steady("", first) == first
