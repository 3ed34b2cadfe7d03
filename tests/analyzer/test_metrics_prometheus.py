"""The Prometheus provider: what it sends, and what it makes of answers, to a server that only pretends.

What a real Prometheus answers is tested on the cluster.
"""

import base64
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from analyzer.fields import SpecError
from analyzer.metrics.provider import Series, Unreachable, WrongQuery
from certs.authority import issue_ca, issue_serving
from tests.analyzer.mock_prometheus import Ask, Mock, Prometheus, pretending, send, vector


@pytest.mark.parametrize(
    ("data", "series"),
    [
        (vector("12.5"), (Series("{}", 12.5),)),
        (vector("1", __name__="up", pod='a"b'), (Series('up{pod="a\\"b"}', 1),)),
        (vector("1", "2"), (Series("{}", 1), Series("{}", 2))),
        (vector("+Inf"), (Series("{}", float("inf")),)),
        (vector(), ()),
        ({"resultType": "scalar", "result": [1.5, "7"]}, (Series("", 7),)),
    ],
)
def test_every_kind_of_answer_is_told_apart(mock: Mock, ask: Ask, data: Any, series: tuple[Series, ...]) -> None:
    mock.answers(data)
    assert ask().series == series


def test_nan_is_a_series_without_a_number(mock: Mock, ask: Ask) -> None:
    mock.answers(vector("NaN"))
    (series,) = ask().series
    assert not series.measured


def test_warnings_are_not_lost(mock: Mock, ask: Ask) -> None:
    mock.answers(vector("1"), warnings=["partial response"], infos=["not a counter"])
    assert ask().warnings == ("partial response", "not a counter")


def test_a_query_goes_out_as_it_is_to_the_path_below_the_address(mock: Mock, ask: Ask) -> None:
    mock.answers(vector("1"))
    mock.address += "/prefix/"
    ask('sum(rate(x{a="b&c=d"}[1m])) > 0')
    assert mock.asked[0][:3] == ("GET", "/prefix/api/v1/query", 'sum(rate(x{a="b&c=d"}[1m])) > 0')


def test_a_very_long_query_is_posted(mock: Mock, ask: Ask) -> None:
    mock.answers(vector("1"))
    long = "up or " * 2000 + "up"
    ask(long)
    assert mock.asked[0][:3] == ("POST", "/api/v1/query", long)


def test_credentials_take_the_place_of_those_in_the_headers(mock: Mock, ask: Ask) -> None:
    mock.answers(vector("1"))
    ask(token="t0ken", headers={"Authorization": "Basic old", "X-Scope-OrgID": "shop"})
    ask(basic=("ann", "pa:ss"))
    sent = [headers for *_, headers in mock.asked]
    assert (sent[0]["Authorization"], sent[0]["X-Scope-OrgID"]) == ("Bearer t0ken", "shop")
    assert sent[1]["Authorization"] == "Basic " + base64.b64encode(b"ann:pa:ss").decode()


def test_names_and_passwords_of_every_script_are_sent(mock: Mock, ask: Ask) -> None:
    mock.answers(vector("1"))
    ask(basic=("zoë", "пароль"))
    assert mock.asked[0][3]["Authorization"] == "Basic " + base64.b64encode("zoë:пароль".encode()).decode()


@pytest.mark.parametrize("value", ["a\r\nX-Other: b", "…"])
def test_headers_that_cannot_be_sent_are_named(ask: Ask, value: str) -> None:
    with pytest.raises(Unreachable, match=r"check spec\.provider\.headers"):
        ask(headers={"X-Scope-OrgID": value})


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_a_certificate_is_verified_unless_the_template_says_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = issue_serving(issue_ca(datetime.now(UTC)), ["p.example"], datetime.now(UTC))
    (tmp_path / "pair.pem").write_bytes(pair.key + pair.certificate)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "pair.pem"))
    with pretending(tmp_path / "pair.pem") as mock:
        mock.answers(vector("1"))
        strict, lenient = Prometheus(mock.address), Prometheus(mock.address, verify=False)
        with pytest.raises(Unreachable, match="certificate verify failed"):
            strict.query("up")
        assert lenient.query("up").series == (Series("{}", 1),)
        strict.close()
        lenient.close()


@pytest.mark.parametrize(("status", "kind"), [(400, "bad_data"), (422, "execution")])
def test_a_wrong_query_is_the_users_to_mend_and_prometheus_says_where(
    mock: Mock, ask: Ask, status: int, kind: str
) -> None:
    mock.answers(status=status, errorType=kind, error="1:4: parse error: unexpected end of input")
    with pytest.raises(WrongQuery, match=r"Prometheus says: 1:4: parse error.*; correct spec\.query"):
        ask()
    assert len(mock.asked) == 1


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({"resultType": "matrix", "result": []}, "spec.query yields a matrix; make it an instant vector"),
        ({"resultType": "string", "result": [1, "x"]}, "spec.query yields a string"),
        ({"resultType": "vector", "result": [{"metric": {}, "histogram": [1, {}]}]}, "spec.query yields histograms"),
    ],
)
def test_an_answer_without_numbers_is_a_wrong_query(mock: Mock, ask: Ask, data: Any, problem: str) -> None:
    mock.answers(data)
    with pytest.raises(WrongQuery, match=problem):
        ask()


def test_an_answer_without_end_is_a_wrong_query(mock: Mock, ask: Ask) -> None:
    mock.answers(vector(*["1"] * 60_000))
    with pytest.raises(WrongQuery, match="larger than 1 MiB"):
        ask()


def test_redirects_are_not_followed(mock: Mock, ask: Ask) -> None:
    mock.behaviour = lambda handler: send(handler, 302, b"", Location=f"{mock.address}/elsewhere")
    with pytest.raises(Unreachable, match="redirects; put the address where it leads"):
        ask()
    assert len(mock.asked) == 1


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("", "'' is no http or https address"),
        ("prometheus:9090", "is no http or https address"),
        ("file:///etc/passwd", "is no http or https address"),
        ("http:///path", "is no http or https address"),
        ("http://:secret@p", "it shows a password to all"),
        ("http://ann@p", "it shows a password to all"),
        ("http://ann:secret@p", "it shows a password to all; put it into the Secret"),
        ("http://p:99999", "Port out of range"),
        ("http://[::1", "is no address"),
        ("http://p/?tenant=x", "it ends in a query or a fragment"),
    ],
)
def test_an_address_that_cannot_be_is_refused_by_name(address: str, problem: str) -> None:
    with pytest.raises(SpecError, match=r"spec\.provider\.address: ") as error:
        Prometheus(address)
    assert problem in str(error.value)
