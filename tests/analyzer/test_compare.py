"""When an object in the cluster is as it is wanted, so that nothing is written."""

from analyzer.compare import holds

SERVICE = {"spec": {"selector": {"app": "web-canary"}, "ports": [{"port": 80}]}}


def test_what_others_added_does_not_matter() -> None:
    there = {"spec": {**SERVICE["spec"], "clusterIP": "10.0.0.1", "ports": [{"port": 80, "protocol": "TCP"}]}}
    assert holds(there, SERVICE)
    assert not holds(None, SERVICE)


def test_a_port_more_or_another_one_does() -> None:
    assert not holds({"spec": {**SERVICE["spec"], "ports": [{"port": 80}, {"port": 81}]}}, SERVICE)
    assert not holds({"spec": {**SERVICE["spec"], "ports": [{"port": 81}]}}, SERVICE)


def test_a_selector_with_a_key_more_selects_other_pods() -> None:
    assert not holds({"spec": {**SERVICE["spec"], "selector": {"app": "web-canary", "tier": "nobody"}}}, SERVICE)
