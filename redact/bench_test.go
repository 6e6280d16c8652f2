package redact_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/redact"
)

// BenchmarkString is a log, a plan in JSON and text full of escapes, with few and with many secrets.
func BenchmarkString(b *testing.B) {
	texts := map[string]string{
		"log":     strings.Repeat("05:34:11Z [INFO] syncctl.yard: requested https://a.example/rest/api/2/x?y=1\n", 700),
		"json":    strings.Repeat(`{"id": "sync.depot.a/act", "why": "it is \"red\" & \u202e", "n": [1, 2, 3]},`+"\n", 800),
		"escapes": strings.Repeat(`%25&amp;\u0026+YWJjZGVmZ2hp 616263646566 [97 98 99 100]`+"\n", 1200),
		"base64":  strings.Repeat("YWJjZGVmZ2hpYWJjZGVmZ2hpYWJjZGVmZ2hpYWJjZGVmZ2hpYWJjZGVmZ2hpYWJjZGVmZ2hp\n", 900),
		"line":    "server.yard.a: status 404 (Not Found): there is no box 7\n",
	}
	for _, name := range []string{"log", "json", "escapes", "base64", "line"} {
		for _, n := range []int{1, 10, 1000} {
			var secrets []string
			for i := range n {
				secrets = append(secrets, fmt.Sprintf("s3cr3t-%d-%x", i, i*7919))
			}
			s := redact.New("-", secrets...)
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				b.SetBytes(int64(len(texts[name])))
				for b.Loop() {
					s.String(texts[name])
				}
			})
		}
	}
}

// TestAllocations: words are base64 too; what they decode to is made only if it may hold something.
func TestAllocations(t *testing.T) {
	s := redact.New("-", "s3cr3t-1")
	const line = "create the direct synchronization P0 <> P0 on server.depot.a0, configured as declared\n"
	if got := testing.AllocsPerRun(10, func() { s.String(line) }); got > 9 {
		t.Errorf("%.0f allocations a line", got)
	}
}

// TestNewAllocations: what a text of many lines costs grows with its length.
func TestNewAllocations(t *testing.T) {
	text := strings.Repeat("0123456789 a line\n", 20_000)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	redact.New("-", text)
	runtime.ReadMemStats(&after)
	if got, most := after.TotalAlloc-before.TotalAlloc, uint64(200*len(text)); got > most {
		t.Errorf("%d bytes, want at most %d", got, most)
	}
}
