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

// quantile returns the value that a share of the sorted values do not exceed;
// zero if there are none.
func quantile[T cmp.Ordered](sorted []T, share float64) T {
	var zero T
	if len(sorted) == 0 {
		return zero
	}
	at := int(math.Ceil(share*float64(len(sorted)))) - 1
	return sorted[min(max(at, 0), len(sorted)-1)]
}

// median returns the middle value, the lower of two.
func median[T cmp.Ordered](values []T) T {
	return quantile(slices.Sorted(slices.Values(values)), 0.5)
}

// spread is what many timings come to.
type spread struct{ p50, p99 time.Duration }

func spreadOf(timings []time.Duration) spread {
	slices.Sort(timings)
	return spread{quantile(timings, 0.5), quantile(timings, 0.99)}
}

// medianSpread takes each figure's median over rounds.
func medianSpread(rounds []spread) spread {
	var p50, p99 []time.Duration
	for _, r := range rounds {
		p50, p99 = append(p50, r.p50), append(p99, r.p99)
	}
	return spread{median(p50), median(p99)}
}

// difference is what a way adds to another, round by round.
func difference(ours, base []spread) spread {
	added := make([]spread, len(ours))
	for n := range ours {
		added[n] = spread{ours[n].p50 - base[n].p50, ours[n].p99 - base[n].p99}
	}
	return medianSpread(added)
}

// ratio is the median of ours over base, round by round.
func ratio(ours, base []float64) float64 {
	ratios := make([]float64, len(ours))
	for n := range ours {
		ratios[n] = ours[n] / base[n]
	}
	return median(ratios)
}

// syncTime is how long the disk under a folder takes to keep a page for good:
// what each commit of a database costs that waits for it.
func syncTime(folder string) (time.Duration, error) {
	file, err := os.Create(filepath.Join(folder, "sync")) //nolint:gosec // a folder of this program
	if err != nil {
		return 0, fmt.Errorf("try the disk: %w", err)
	}
	defer file.Close() //nolint:errcheck // it is thrown away
	page := make([]byte, 8<<10)
	var took []time.Duration
	for range 20 {
		begin := time.Now()
		if _, err := file.WriteAt(page, 0); err != nil {
			return 0, fmt.Errorf("try the disk: %w", err)
		}
		if err := file.Sync(); err != nil {
			return 0, fmt.Errorf("try the disk: %w", err)
		}
		took = append(took, time.Since(begin))
	}
	return median(took), nil
}
