package telemetry

import (
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metricsPath is the one path of the metrics' listener.
const metricsPath = "/metrics"

// Bounds of the metrics' listener: a scrape is short, and few ask at once.
const (
	scrapeReadTimeout  = 5 * time.Second
	scrapeWriteTimeout = 30 * time.Second
	scrapeIdleTimeout  = 2 * time.Minute
	scrapesAtOnce      = 4
	scrapeHeaderBytes  = 16 << 10
)

// NewServer returns a server of the metrics alone; its listener is the
// caller's.
func (m *Metrics) NewServer(logger *slog.Logger) *http.Server {
	scrape := promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorLog: scrapeLog{logger}, ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: scrapesAtOnce,
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

// scrapeLog takes the library's complaints.
type scrapeLog struct{ logger *slog.Logger }

func (l scrapeLog) Println(v ...any) {
	l.logger.Warn("scraping the metrics", "error", fmt.Sprint(v...))
}
