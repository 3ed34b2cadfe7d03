"""The sentences that people read."""

import pytest

from webhook.revision import digest
from webhook.wording import LONGEST, Wording

REVISION, OTHER = digest({"a": 1}), digest({"a": 2})


def sentences(words: Wording) -> list[str]:
    return [
        words.diverted(REVISION, ""),
        words.diverted(REVISION, OTHER),
        words.unchanged(REVISION),
        words.rejected(REVISION),
        words.cancelled(REVISION),
        words.undone(REVISION),
        words.restarted(),
        words.direct("no replica was available for 86400 s"),
        words.unfit("it writes to claim data"),
        words.proven(REVISION),
        words.opted_out(REVISION),
        words.guarded(),
    ]


@pytest.mark.parametrize("name", ["web", "podinfo", "a-rather-long-name-of-a-deployment", "x" * 253])
@pytest.mark.parametrize("namespace", ["shop", "n" * 63])
def test_no_sentence_is_longer_than_people_get_to_see_and_no_command_is_cut(namespace: str, name: str) -> None:
    for sentence in sentences(Wording(namespace, name)):
        assert len(sentence) <= LONGEST
        assert ("kubectl" in sentence) == (f" -n {namespace}" in sentence)


def test_every_sentence_about_a_usual_name_ends_in_a_whole_command() -> None:
    for sentence in sentences(Wording("shop", "podinfo")):
        command = sentence.rpartition(": ")[2]
        assert command.startswith("kubectl ")
        assert "-n shop" in command
        assert sentence.startswith("podinfo: ")
