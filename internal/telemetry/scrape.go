package telemetry

import (
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metricsPath is the only path of the metrics server.
const metricsPath = "/metrics"

// Limits of the metrics server.
const (
	scrapeReadTimeout  = 5 * time.Second
	scrapeWriteTimeout = 30 * time.Second
	scrapeIdleTimeout  = 2 * time.Minute
	maxScrapes         = 4
	scrapeHeaderBytes  = 16 << 10
)

// NewServer returns an HTTP server for the metrics. The caller provides the listener.
func (m *Metrics) NewServer(logger *slog.Logger) *http.Server {
	scrape := promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorLog: scrapeLog{logger}, ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: maxScrapes,
	})
	return &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != metricsPath || (r.Method != http.MethodGet && r.Method != http.MethodHead) {
				http.NotFound(w, r)
				return
			}
			scrape.ServeHTTP(w, r)
		}),
		ReadTimeout: scrapeReadTimeout, WriteTimeout: scrapeWriteTimeout, IdleTimeout: scrapeIdleTimeout,
		MaxHeaderBytes: scrapeHeaderBytes, DisableGeneralOptionsHandler: true,
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
}

// scrapeLog logs the errors of the library.
type scrapeLog struct{ logger *slog.Logger }

func (l scrapeLog) Println(v ...any) {
	l.logger.Warn("scraping the metrics", "error", fmt.Sprint(v...))
}
