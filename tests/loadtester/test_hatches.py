"""Options by which an allowed program would run what its caller hands it."""

import getopt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtester.command import permit, split
from loadtester.errors import NotAllowed

ALLOWED = frozenset({"curl", "wrk", "hey", "kubectl", "helm", "sort", "wget"})
WRK = ["connections=", "duration=", "threads=", "script=", "header=", "latency", "timeout=", "version"]


@pytest.mark.parametrize(
    "line",
    [
        "wrk -s /dev/stdin http://x",
        "wrk -s/dev/stdin http://x",
        "wrk -Ls x http://x",
        "wrk --script x http://x",
        "wrk --scr=x http://x",
        "curl http://x | wrk -t2 http://x -s /dev/stdin",
        "curl --engine /tmp/x.so http://x",
        "curl --eng /tmp/x.so http://x",
        "curl -K - http://x",
        "curl -sK- http://x",
        "curl --config - http://x",
        "curl http://x | kubectl --kubeconfig=/dev/stdin get pods",
        "kubectl get pods --kubeconfig /dev/stdin",
        "kubectl --kuberc=/dev/stdin get pods",
        "kubectl kustomize x --enable-helm --helm-command sh",
        "kubectl kustomize x --enable-exec",
        "helm test x --kubeconfig=/dev/stdin",
        "helm template x --post-renderer sh",
        "sort --compress-program=sh x",
        "sort --comp=sh x",
        "wget --use-askpass=sh http://x",
        "wget -e use_askpass=sh http://x",
        "curl --variable x=/tmp/x.so --expand-engine '{{x}}' http://x",
        "curl --expand-config=- http://x",
    ],
)
def test_a_script_or_library_of_the_callers_is_refused(line: str) -> None:
    with pytest.raises(NotAllowed, match=r"the option -\S+ of \w+ is not allowed"):
        permit(split(line), ALLOWED)


@pytest.mark.parametrize(
    "line",
    [
        "wrk -t2 -c10 -d30s --latency --timeout 2s -H 'X-s: s' http://x",
        "curl -sSd test --compressed --connect-timeout 2 -H 'K: k' -HK:k http://x",
        "hey -s x -K http://x",
        "kubectl get pods -n x --kubectl-x -o json --context=a",
        "helm test x -n y --timeout 3m --kube-context=a --logs",
        "sort -rn --key=2",
        "wget -qO- --timeout=2 http://x",
    ],
)
def test_ordinary_options_pass(line: str) -> None:
    permit(split(line), ALLOWED)


@given(
    st.lists(st.sampled_from(["-s", "-Ls", "-d3s", "-t2", "-H", "s", "--s", "--sc=x", "--latency", "-rs", "x", "--"]))
)
def test_whatever_getopt_reads_as_a_script_is_refused(arguments: list[str]) -> None:
    try:
        options, _ = getopt.gnu_getopt(arguments, "t:c:d:s:H:T:Lrv", WRK)
    except getopt.GetoptError:
        return
    if {"-s", "--script"} & {name for name, _ in options}:
        with pytest.raises(NotAllowed):
            permit((("wrk", *arguments),), ALLOWED)
