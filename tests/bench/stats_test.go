package main

import "testing"

func TestQuantiles(t *testing.T) {
	t.Parallel()
	hundred := make([]int, 100)
	for n := range hundred {
		hundred[n] = n + 1
	}
	for share, want := range map[float64]int{0: 1, 0.5: 50, 0.99: 99, 1: 100} {
		if got := quantile(hundred, share); got != want {
			t.Errorf("quantile %v of 1 to 100 is %d, not %d", share, got, want)
		}
	}
	if got := quantile([]int(nil), 0.5); got != 0 {
		t.Errorf("the quantile of no values is %d", got)
	}
	if got := median([]int{9, 1, 5}); got != 5 {
		t.Errorf("the median of 9, 1 and 5 is %d", got)
	}
}

func TestThousands(t *testing.T) {
	t.Parallel()
	for n, want := range map[float64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000", -100: "-100"} {
		if got := thousands(n); got != want {
			t.Errorf("%v is %q, not %q", n, got, want)
		}
	}
}
