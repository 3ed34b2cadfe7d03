"""A real one-node Kubernetes on this machine, for the demo, the tests and the benchmarks; nothing of it ships."""
