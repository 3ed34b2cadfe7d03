"""What is read from the API server's metrics and from the kernel."""

import pytest

from tests.bench.api import webhook_calls
from tests.bench.processes import megabytes, part_of, spent

METRICS = """\
# HELP apiserver_admission_webhook_request_total [ALPHA] Admission webhook request total
# TYPE apiserver_admission_webhook_request_total counter
apiserver_admission_webhook_request_total{code="200",name="divert-object.detour.dev",operation="UPDATE",type="admit"} 7
apiserver_admission_webhook_request_total{code="500",name="divert-object.detour.dev",operation="UPDATE",type="admit"} 1
apiserver_admission_webhook_request_total{code="200",name="divert-namespace.detour.dev",operation="UPDATE"} 1.2e+03
apiserver_admission_webhook_request_total{code="200",name="another.example.com",operation="UPDATE",type="admit"} 50
# TYPE apiserver_admission_webhook_fail_open_count counter
apiserver_admission_webhook_fail_open_count{name="divert-object.detour.dev",type="admit"} 3
"""


def test_calls_are_counted_over_all_codes_of_all_our_webhooks_and_of_no_other() -> None:
    assert webhook_calls(METRICS, "divert-") == 1208
    assert webhook_calls(METRICS, "another.") == 50


def test_an_api_server_that_has_called_nobody_has_no_such_line() -> None:
    assert webhook_calls("# TYPE apiserver_request_total counter\napiserver_request_total 5\n", "divert-") == 0


def test_a_megabyte_is_a_million_bytes_and_the_kernels_kb_are_1024() -> None:
    rollup = "5581 7fff [rollup]\nRss:   40000 kB\nPss:   25000 kB\nPss_Anon:  1 kB\n"
    assert megabytes(rollup, "Pss") == pytest.approx(25.6)
    assert megabytes(rollup, "Rss") == pytest.approx(40.96)


def test_a_process_belongs_to_detours_command_or_else_to_its_program() -> None:
    assert part_of(["python3", "-m", "detour", "webhook", "--certificates=/run/detour/tls", ""]) == "webhook"
    assert (
        part_of(["python3", "/opt/detour/bin/detour", "analyzer", "--certificates=/run/detour/tls", ""]) == "analyzer"
    )
    assert part_of(["/usr/local/bin/traefik", "--ping", ""]) == "traefik"


def test_a_part_that_was_started_meanwhile_counts_from_its_start() -> None:
    assert spent({"etcd": 5.0, "gone": 1.0}, {"etcd": 7.0, "webhook": 0.5}) == {"etcd": 2.0, "webhook": 0.5}
