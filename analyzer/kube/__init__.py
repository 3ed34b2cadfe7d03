"""The only place that knows the Kubernetes client: dicts go in, dicts come out, errors are ours."""
