"""Metrics are asked for when they are written: what is wrong shows at once, and again right once it is corrected."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from analyzer.gauges import AtRest, Gauges, Reach
from analyzer.kube.errors import NotFound
from analyzer.metrics.verdict import Result
from analyzer.status import Phase, Status
from analyzer.stored import from_object, to_object
from analyzer.vetting import FIRST_PAUSE, SETTLES, Vetting
from tests.analyzer.mock_prometheus import LOOPBACK, Mock, pretending, vector
from tests.analyzer.things import START

KEY = ("shop", "web")
BAD = {"errorType": "bad_data", "error": 'invalid parameter "query": 1:5: parse error: unexpected identifier'}


@pytest.fixture
def prometheus() -> Iterator[Mock]:
    with pretending() as mock:
        mock.answers(vector("1"))
        yield mock


@dataclass
class Shop:
    """One Canary with one metric, its template, and what is told of it."""

    address: str
    templates: dict[tuple[str, str], Any] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    touched: threading.Event = field(default_factory=threading.Event)
    time: float = 0.0
    writes: int = 0

    def __post_init__(self) -> None:
        metric = {"name": "errors", "templateRef": {"name": "errors"}, "thresholdRange": {"max": 1}}
        analysis = {"interval": "10s", "threshold": 1, "stepWeight": 50, "metrics": [metric]}
        self.canary: dict[str, Any] = {
            "metadata": {"namespace": "shop", "name": "web"},
            "spec": {"targetRef": {"kind": "Deployment", "name": "web"}, "analysis": analysis},
            "status": to_object(Status(phase=Phase.INITIALIZED, guarded=True), {}, START),
        }
        self.write("sum(rate(errors[1m]))")
        self.restart()

    def restart(self) -> None:
        """Another process leads."""
        cluster: Any = SimpleNamespace(
            canary_for=lambda _: self.canary,
            canaries=SimpleNamespace(get=lambda *_: self.canary, learn=self._learn),
            templates=SimpleNamespace(get=lambda *key: self.templates.get(key)),
            client=SimpleNamespace(replace_status=lambda _, body: body, get=self._secret),
        )
        journal: Any = SimpleNamespace(tell=lambda event, *_: self.told.append(event.text))
        self.gauges = Gauges(cluster, Reach(LOOPBACK))
        self.vetting = Vetting(cluster, self.gauges, journal, lambda _: self.touched.set(), lambda: self.time)

    def write(self, query: str, name: str = "errors", **provider: Any) -> None:
        """The MetricTemplate, as it is from now on."""
        spec = {"provider": {"type": "prometheus", "address": self.address, **provider}, "query": query}
        self.templates["shop", name] = {"metadata": {"name": name, "namespace": "shop", "uid": "1"}, "spec": spec}

    def look(self) -> float | None:
        """The analyzer looks, as often as it wants to within a minute of nothing but waiting."""
        wake = self.vetting.settle(KEY)
        if wake is not None and wake <= SETTLES:
            self.time += wake
            wake = self.vetting.settle(KEY)
        if wake is None and self.touched.wait(0 if KEY not in self.vetting._open else 10):
            self.touched.clear()
            wake = self.vetting.settle(KEY)
        return wake

    @property
    def measurable(self) -> tuple[str, str] | None:
        """The condition: its status and message."""
        found = {each["type"]: each for each in self.canary["status"]["conditions"]}.get("Measurable")
        return (found["status"], found["message"]) if found else None

    def _learn(self, body: dict[str, Any]) -> None:
        self.canary, self.writes = body, self.writes + 1

    def _secret(self, *_: object) -> Any:
        raise NotFound(404, "NotFound", "no such Secret")


def test_a_query_that_prometheus_refuses_shows_when_it_is_written_and_its_correction_does(prometheus: Mock) -> None:
    prometheus.answers(status=400, **BAD)
    shop = Shop(prometheus.address)
    assert shop.look() is None
    assert shop.measurable is not None
    status, message = shop.measurable
    assert status == "False"
    assert "parse error: unexpected identifier; correct spec.query of the MetricTemplate" in message
    assert shop.told == [f"Metrics of web.shop cannot be measured: {message}"]
    prometheus.answers(vector("1"))
    shop.write("sum(rate(errors_total[1m]))")
    shop.look()
    assert shop.measurable == ("True", "every metric was answered")
    assert shop.told[1:] == ["Metrics of web.shop can be measured again"]


def test_what_is_well_is_asked_once_and_never_again_nor_by_the_next_analyzer(prometheus: Mock) -> None:
    shop = Shop(prometheus.address)
    shop.look()
    shop.look()
    shop.restart()
    shop.look()
    assert (len(prometheus.asked), shop.writes, shop.told) == (1, 1, [])
    assert shop.measurable == ("True", "every metric was answered")


def test_what_is_wrong_is_not_asked_again_before_it_is_written_anew(prometheus: Mock) -> None:
    prometheus.answers(status=400, **BAD)
    shop = Shop(prometheus.address)
    for _ in range(3):
        shop.look()
        shop.restart()
        shop.time += 10 * FIRST_PAUSE
    assert (len(prometheus.asked), shop.writes, len(shop.told)) == (1, 1, 1)


def test_no_values_are_no_fault_of_a_query(prometheus: Mock) -> None:
    prometheus.answers(vector("NaN"))
    shop = Shop(prometheus.address)
    shop.look()
    assert shop.measurable == ("True", "every metric was answered")


def test_a_template_that_is_missing_is_named_and_looked_for_no_more_until_it_is_there(prometheus: Mock) -> None:
    shop = Shop(prometheus.address)
    shop.templates.clear()
    assert shop.look() is None
    assert shop.measurable is not None
    assert "there is no MetricTemplate errors in namespace shop; create it" in shop.measurable[1]
    shop.write("vector(1)")
    shop.look()
    assert shop.measurable == ("True", "every metric was answered")


def test_a_canary_that_is_applied_a_moment_before_its_template_is_nothing_to_tell(prometheus: Mock) -> None:
    shop = Shop(prometheus.address)
    shop.templates.clear()
    assert shop.vetting.settle(KEY) == SETTLES
    shop.time += 1
    shop.write("vector(1)")
    shop.look()
    assert (shop.told, shop.measurable) == ([], ("True", "every metric was answered"))


def test_a_provider_that_is_away_is_told_once_and_asked_again_more_and_more_rarely(prometheus: Mock) -> None:
    prometheus.answers(status=503)
    shop = Shop(prometheus.address)
    pauses = []
    for _ in range(3):
        wake = shop.look()
        assert wake is not None
        pauses.append(wake)
        shop.time += wake
    assert pauses == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert (len(prometheus.asked), shop.writes, len(shop.told)) == (3, 1, 1)
    prometheus.answers(vector("1"))
    assert shop.look() is None
    assert shop.measurable == ("True", "every metric was answered")
    assert shop.told[-1] == "Metrics of web.shop can be measured again"


def test_a_secret_that_is_missing_is_looked_for_again_as_no_watch_tells_of_it(prometheus: Mock) -> None:
    shop = Shop(prometheus.address)
    shop.write("vector(1)", secretRef={"name": "token"})
    assert shop.look() == FIRST_PAUSE
    assert shop.measurable is not None
    assert "Secret token is not in the template's namespace" in shop.measurable[1]


def test_what_is_in_flight_is_measured_anyway(prometheus: Mock) -> None:
    shop = Shop(prometheus.address)
    flying = Status(phase=Phase.PROGRESSING, revision="2" * 64, guarded=True)
    shop.canary = {**shop.canary, "status": to_object(flying, {}, START)}
    assert shop.look() is None
    assert prometheus.asked == []


def test_without_metrics_nothing_is_said(prometheus: Mock) -> None:
    prometheus.answers(status=400, **BAD)
    shop = Shop(prometheus.address)
    shop.look()
    del shop.canary["spec"]["analysis"]["metrics"]
    shop.look()
    assert shop.measurable is None
    assert from_object(shop.canary).unmeasurable == ""


def test_the_number_of_requests_is_asked_for_where_a_metric_wants_it(prometheus: Mock) -> None:
    shop = Shop(prometheus.address)
    shop.canary["spec"] |= {"metricsServer": prometheus.address}
    shop.canary["spec"]["analysis"]["minRequests"] = 5
    shop.look()
    asked = [query for _, _, query, _ in prometheus.asked]
    assert asked[0] == "sum(rate(errors[1m]))"
    assert asked[1].startswith("sum(increase(traefik_service_requests_total{")


def test_a_metric_is_judged_only_after_enough_requests(prometheus: Mock) -> None:
    shop = Shop(prometheus.address)
    shop.canary["spec"] |= {"metricsServer": prometheus.address}
    metric = {**shop.canary["spec"]["analysis"]["metrics"][0], "minRequests": 10}
    prometheus.answers(vector("9"))
    check = shop.gauges.check(metric, AtRest(KEY, shop.canary))
    assert (check.result, len(prometheus.asked)) == (Result.NO_DATA, 1)
    assert check.text == "errors is not judged: fewer than 10 requests in its interval"
    prometheus.answers(vector("11"))
    assert shop.gauges.check(metric, AtRest(KEY, shop.canary)).text == "errors 11.00 > 1"


def test_a_metric_that_wants_requests_and_has_nobody_who_counts_them_names_the_field() -> None:
    shop = Shop("http://prometheus.test:9090")
    metric = {**shop.canary["spec"]["analysis"]["metrics"][0], "minRequests": 10}
    check = shop.gauges.check(metric, AtRest(KEY, shop.canary))
    assert check.result is Result.UNMEASURED
    assert "spec.metricsServer: " in check.text
