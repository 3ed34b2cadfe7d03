// Package otelmux takes the place of OpenTelemetry's tracing middleware, which podinfo puts inside its metrics middleware
// and outside everything else: what goes wrong here is counted by podinfo as its own, whatever flags it was started with.
package otelmux

import (
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/gorilla/mux"
	"github.com/stefanprodan/podinfo/pkg/version"
)

// The image's tag, kept in a file of the image: all tags share one binary, report their own version and have their own fault.
const tagFile = "/etc/podinfo-tag"

var exempt = map[string]bool{"/readyz": true, "/healthz": true, "/metrics": true}

var fault = func(next http.Handler) http.Handler { return next }

func init() {
	content, err := os.ReadFile(tagFile)
	if err != nil {
		return // not in an image: podinfo as published
	}
	version.VERSION = strings.TrimSpace(string(content))
	switch version.VERSION {
	case "errors":
		fault = errors
	case "slow":
		fault = slow
	}
}

// Option keeps the signature of the package replaced.
type Option interface{}

// Middleware returns the fault of this image, which for most is none.
func Middleware(_ string, _ ...Option) mux.MiddlewareFunc {
	return func(next http.Handler) http.Handler {
		faulty := fault(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if exempt[r.URL.Path] {
				next.ServeHTTP(w, r)
			} else {
				faulty.ServeHTTP(w, r)
			}
		})
	}
}

// errors answers a third of the requests, at random, with 500.
func errors(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if rand.IntN(3) == 0 {
			http.Error(w, "this image fails a third of its requests", http.StatusInternalServerError)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// slow answers after one to two seconds.
func slow(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(time.Second + rand.N(time.Second))
		next.ServeHTTP(w, r)
	})
}
