"""What is said of Secrets that are no part of a revision."""

from analyzer.untracked import untracked

REMEDY = "without an analysis: for one, bind the ClusterRole detour-secret-holder to the analyzer in namespace shop"


def test_secrets_that_may_not_be_followed_are_named_on_the_deployment_with_the_remedy() -> None:
    told = untracked(("shop", "web"), {"key", "account"})
    assert told.text == f"changes of Secret account, key reach web.shop {REMEDY}"
    assert (told.milestone, told.warning) == (True, False)


def test_of_very_many_the_first_are_named_so_that_an_event_holds_them() -> None:
    told = untracked(("shop", "web"), [f"{'x' * 240}{number}" for number in range(1000)])
    assert " (997 more) reach web.shop" in told.text
    assert told.text.endswith(REMEDY)
    assert len(told.text) < 1024
