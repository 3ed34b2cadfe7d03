"""What of the suites is not played here: it is somewhere else, or there is nothing for it to be about."""

ELSEWHERE = {
    "Flagger istio/test-delegation.sh": "about Istio's VirtualService: there is no router for it",
    "Flagger contour, gloo, knative, kuma, apisix, skipper, osm": "routers that are not here; what they try besides "
    "(promoted, rolled back, A/B) is played on the routes that are",
    "Flagger kubernetes/test-daemonset.sh": "updates of DaemonSets are not diverted; refused by name",
    "Flagger keda/test-scaledobject.sh": "KEDA cannot be had in the sandbox; tests/analyzer has its objects",
    "Argo, Kruise: analyzer killed at every stored state": "`make faults`: killed-at-every-phase, dying-at-every-write",
    "Kruise: webhook down with failurePolicy Ignore": "tests/cluster/test_webhook_down.py",
    "Kruise: multi network, disabled rollout": "tests/cluster: test_discovery.py, test_exceptions.py",
    "Argo: experiments, AnalysisRun objects, notifications engine": "objects that there are none of",
}
