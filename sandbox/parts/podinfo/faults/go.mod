module go.opentelemetry.io/contrib/instrumentation/github.com/gorilla/mux/otelmux

go 1.26.0

require (
	github.com/gorilla/mux v1.8.1
	github.com/stefanprodan/podinfo v1.8.1-0.20250910200901-e86405a8674e
)
