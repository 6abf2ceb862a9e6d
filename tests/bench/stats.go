package main

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// quantile returns the quantile of sorted values by the nearest-rank method, or
// zero if there are no values.
func quantile[T cmp.Ordered](sorted []T, share float64) T {
	var zero T
	if len(sorted) == 0 {
		return zero
	}
	at := int(math.Ceil(share*float64(len(sorted)))) - 1
	return sorted[min(max(at, 0), len(sorted)-1)]
}

// median returns the middle value, or the lower of the two middle values.
func median[T cmp.Ordered](values []T) T {
	return quantile(slices.Sorted(slices.Values(values)), 0.5)
}

// spread has the percentiles of durations.
type spread struct{ p50, p99 time.Duration }

func spreadOf(timings []time.Duration) spread {
	slices.Sort(timings)
	return spread{quantile(timings, 0.5), quantile(timings, 0.99)}
}

// medianSpread returns the medians of the percentiles of the rounds.
func medianSpread(rounds []spread) spread {
	var p50, p99 []time.Duration
	for _, r := range rounds {
		p50, p99 = append(p50, r.p50), append(p99, r.p99)
	}
	return spread{median(p50), median(p99)}
}

// difference returns the median of the differences of the rounds.
func difference(ours, base []spread) spread {
	added := make([]spread, len(ours))
	for n := range ours {
		added[n] = spread{ours[n].p50 - base[n].p50, ours[n].p99 - base[n].p99}
	}
	return medianSpread(added)
}

// ratio returns the median of the ratios of the rounds.
func ratio(ours, base []float64) float64 {
	ratios := make([]float64, len(ours))
	for n := range ours {
		ratios[n] = ours[n] / base[n]
	}
	return median(ratios)
}

// syncTime returns the time of a write and sync of a page in a folder, which a
// durable commit of a database takes at least.
func syncTime(folder string) (time.Duration, error) {
	file, err := os.Create(filepath.Join(folder, "sync")) //nolint:gosec // a folder of this program
	if err != nil {
		return 0, fmt.Errorf("measure the disk: %w", err)
	}
	defer file.Close() //nolint:errcheck // the file is not used again
	page := make([]byte, 8<<10)
	var durations []time.Duration
	for range 20 {
		start := time.Now()
		if _, err := file.WriteAt(page, 0); err != nil {
			return 0, fmt.Errorf("measure the disk: %w", err)
		}
		if err := file.Sync(); err != nil {
			return 0, fmt.Errorf("measure the disk: %w", err)
		}
		durations = append(durations, time.Since(start))
	}
	return median(durations), nil
}
