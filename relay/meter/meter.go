// Package meter counts for Prometheus. A room declares what it counts at the
// top of a file, with the help text that the operator reads; nothing carries a
// label from the outside world (no sender, no recipient, no foreign domain).
package meter

import (
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

var registry = newRegistry()

func newRegistry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// Counter declares a counter. Names begin with forepost_ and end in _total.
func Counter(name, help string, labels ...string) *prometheus.CounterVec {
	keep(name, help, "_total")
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	registry.MustRegister(c)
	return c
}

// Gauge declares a gauge.
func Gauge(name, help string, labels ...string) *prometheus.GaugeVec {
	keep(name, help, "")
	g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
	registry.MustRegister(g)
	return g
}

// Seconds declares a histogram of durations; its name ends in _seconds.
func Seconds(name, help string, labels ...string) *prometheus.HistogramVec {
	keep(name, help, "_seconds")
	h := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: name, Help: help, Buckets: prometheus.ExponentialBuckets(0.0001, 4, 10),
	}, labels)
	registry.MustRegister(h)
	return h
}

// keep holds declarations to the rules. It panics: a wrong name is a defect that
// the first start of the program shows.
func keep(name, help, suffix string) {
	if !strings.HasPrefix(name, "forepost_") || !strings.HasSuffix(name, suffix) || help == "" {
		panic("meter: " + name + " breaks the rules of the README")
	}
}

// Handler serves /metrics.
func Handler() http.Handler {
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
}
