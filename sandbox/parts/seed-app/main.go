// Command seed-app is an application as the post on releases with Flagger has it (tests/seed): it serves on 8080, and on
// 7001 the metrics that the post's queries ask for. It answers every path with its version, and has its image's fault.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"math/rand/v2"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

const (
	// The image's tag, kept in a file of the image: all tags share one binary.
	tagFile = "/etc/seed-app-tag"
	// How long requests still come in after the order to end: until every proxy has heard of it. Nobody else waits for
	// that, since the post's Deployment has no preStop hook.
	farewell = 3 * time.Second
	// How long begun requests may take to end.
	patience = 10 * time.Second
)

func main() {
	version := tag()
	durations := newHistogram("http_request_duration_milliseconds", "How long requests took to answer.")

	application := http.NewServeMux()
	application.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	application.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		status := misbehave(version)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		fmt.Fprintf(w, "{\"version\":%q}\n", version)
		durations.observe(labels{method: r.Method, path: "/", status: status}, time.Since(began))
	})
	metrics := http.NewServeMux()
	metrics.Handle("GET /metrics", durations)

	ended, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	server := serve(":8080", application)
	serve(":7001", metrics)
	<-ended.Done()
	time.Sleep(farewell)
	deadline, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := server.Shutdown(deadline); err != nil {
		log.Fatalf("requests were still open after %s: %v", patience, err)
	}
}

func tag() string {
	content, err := os.ReadFile(tagFile)
	if err != nil {
		return "unknown" // not in an image: no fault
	}
	return strings.TrimSpace(string(content))
}

// misbehave takes the time that this version takes, and returns the status that it answers with.
func misbehave(version string) int {
	switch {
	case version == "slow":
		// Between the histogram's bounds 700 and 2500; and less than a second, so that between two scrapes, a second
		// apart, a client that sends one request after the other has completed one.
		time.Sleep(800 * time.Millisecond)
	case version == "errors" && rand.IntN(3) == 0:
		return http.StatusInternalServerError
	}
	return http.StatusOK
}

func serve(address string, handler http.Handler) *http.Server {
	server := &http.Server{Addr: address, Handler: handler, ReadHeaderTimeout: patience}
	go func() {
		if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
			log.Fatal(err)
		}
	}()
	return server
}
