package main

import (
	"fmt"
	"net/http"
	"sync"
	"time"
)

// bounds are the upper ends of the buckets, in milliseconds. With 700 and 2500 as neighbours, requests that all take a
// time in between have, as Prometheus interpolates, a 0.99 quantile of 700 + 0.99 * (2500 - 700) = 2482.00: the figure
// of the post's event.
var bounds = []int{5, 10, 25, 50, 100, 300, 700, 2500, 10000}

type labels struct {
	method, path string
	status       int
}

func (l labels) String() string {
	return fmt.Sprintf(`method=%q,path=%q,status="%d"`, l.method, l.path, l.status)
}

// series holds the observations with the same labels. buckets are cumulative: each counts those up to its bound.
type series struct {
	buckets []uint64
	count   uint64
	sum     float64
}

// histogram is a classic histogram of Prometheus, and serves itself in its text format.
type histogram struct {
	name, help string
	mutex      sync.Mutex
	series     map[labels]*series
}

func newHistogram(name, help string) *histogram {
	return &histogram{name: name, help: help, series: map[labels]*series{}}
}

func (h *histogram) observe(with labels, took time.Duration) {
	milliseconds := took.Seconds() * 1000
	h.mutex.Lock()
	defer h.mutex.Unlock()
	found := h.series[with]
	if found == nil {
		found = &series{buckets: make([]uint64, len(bounds))}
		h.series[with] = found
	}
	for i, bound := range bounds {
		if milliseconds <= float64(bound) {
			found.buckets[i]++
		}
	}
	found.count++
	found.sum += milliseconds
}

func (h *histogram) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	fmt.Fprint(w, h.exposition())
}

func (h *histogram) exposition() string {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	text := fmt.Sprintf("# HELP %s %s\n# TYPE %s histogram\n", h.name, h.help, h.name)
	for with, found := range h.series {
		for i, bound := range bounds {
			text += fmt.Sprintf("%s_bucket{%s,le=\"%d\"} %d\n", h.name, with, bound, found.buckets[i])
		}
		text += fmt.Sprintf("%s_bucket{%s,le=\"+Inf\"} %d\n", h.name, with, found.count)
		text += fmt.Sprintf("%s_sum{%s} %g\n", h.name, with, found.sum)
		text += fmt.Sprintf("%s_count{%s} %d\n", h.name, with, found.count)
	}
	return text
}
