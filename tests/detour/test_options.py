"""What an operator sets of the analyzer: what a flag does, and what is said of a value that cannot be."""

from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from analyzer.kube.lease import Timing
from analyzer.routing.nginx import Nginx
from detour.options import Options, options


def chosen(*arguments: str) -> Options:
    """What these flags come to."""
    found: list[Options] = []

    @click.command()
    @options
    def command(**flags: Any) -> None:
        found.append(Options(**flags))
        assert found[0].timing
        assert found[0].reach("detour")

    result = CliRunner().invoke(command, ["--certificates=/tls", *arguments], standalone_mode=False)
    if result.exception:
        raise result.exception
    return found[0]


def refused(*arguments: str) -> str:
    with pytest.raises(click.BadParameter) as error:
        chosen(*arguments)
    return error.value.format_message()


def test_without_flags_everything_is_as_it_was() -> None:
    options = chosen()
    assert (options.timing, options.router.routers[0], options.default_policy) == (
        Timing(12, 3.0),
        Nginx(),
        None,
    )
    assert "anywhere" in options.scope


def test_each_flag_reaches_what_it_is_for() -> None:
    options = chosen(
        "--lease-seconds=30",
        "--renew-seconds=5",
        "--ingress-annotations-prefix=alb.ingress.kubernetes.io",
        "--ingress-class=internal",
        "--namespace=shop",
        "--namespace=test",
    )
    assert options.timing == Timing(30, 5.0)
    assert options.router.routers[0] == Nginx("alb.ingress.kubernetes.io", "internal")
    assert [name in options.scope for name in ("shop", "test", "other")] == [True, True, False]


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("--lease-seconds=2", "'--lease-seconds': 2 is not in the range 3<=x<=600"),
        ("--renew-seconds=5", "--renew-seconds: 5 s between renewals: at most a third of the lease, which is 4"),
        ("--namespace=Shop", "'--namespace': 'Shop' is no name of a namespace"),
        ("--ingress-class=a_b", "'--ingress-class': 'a_b' is no name of an IngressClass"),
        ("--ingress-annotations-prefix=a/b", "'--ingress-annotations-prefix': 'a/b' is no prefix"),
        ("--mesh-provider=istio", "'--mesh-provider': 'istio' is not one of 'nginx', 'gatewayapi:v1'"),
        ("--log-format=xml", "'--log-format': 'xml' is not one of"),
        ("--log-level=loud", "'--log-level': 'loud' is not one of"),
    ],
)
def test_a_value_that_cannot_be_is_refused_at_the_start_with_its_flag(argument: str, said: str) -> None:
    assert said in refused(argument)


def policy(directory: Path, text: str) -> str:
    file = directory / "policy.yaml"
    file.write_text(text)
    return f"--default-policy={file}"


def test_the_default_policy_comes_from_a_file(tmp_path: Path) -> None:
    spec = chosen(policy(tmp_path, "analysis: {interval: 10s, stepWeights: [5, 50]}")).default_policy
    assert spec == {"analysis": {"interval": "10s", "stepWeights": [5, 50]}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "put in it what stands under `spec`"),
        ("kind: CanaryPolicy\nspec: {}", "put in it what stands under `spec`"),
        ("analysis: {stepWeights: [50, 5]}", "spec.analysis.stepWeights: [50, 5] do not rise"),
        ("analysis: {interval: soon}", "spec.analysis.interval: 'soon' is no duration"),
        ("analysis: {stepWeight: 5, metrics: [1]}", "wrong type"),
        ("analysis: [", "expected the node content"),
    ],
)
def test_a_default_policy_that_cannot_be_is_refused_with_the_file_and_its_field(
    tmp_path: Path, text: str, said: str
) -> None:
    argument = policy(tmp_path, text)
    words = refused(argument)
    assert said in words
    assert argument.partition("=")[2] in words
