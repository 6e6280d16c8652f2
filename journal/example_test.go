package journal_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/journal"
)

// Every entry is on disk before Append returns, so that another process can continue the work.
func Example() {
	ctx, fs := context.Background(), afero.NewMemMapFs()
	now := func() time.Time { return time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC) }

	j, err := journal.Open(fs, "journal.jsonl", journal.Options{Now: now})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, _ = j.Append(ctx, "sync.depot.goods/stop", "started", map[string]string{"note": "by zoe"})
	_, _ = j.Append(ctx, "sync.depot.goods/stop", "done", map[string]string{"note": "2 gates are closed"})
	_ = j.Close()

	entries, err := journal.Read(fs, "journal.jsonl", nil)
	for _, e := range entries {
		fmt.Println(e.Seq, e.Key, e.Event, e.Data["note"])
	}
	fmt.Println(err)

	// A line that is changed or removed later is noticed.
	src, _ := afero.ReadFile(fs, "journal.jsonl")
	changed := []byte(string(src[:len(src)/2]) + "x" + string(src[len(src)/2+1:]))
	_ = afero.WriteFile(fs, "journal.jsonl", changed, 0o600)
	_, err = journal.Read(fs, "journal.jsonl", nil)
	fmt.Println(errors.Is(err, journal.ErrBroken))
	// Output:
	// 1 sync.depot.goods/stop started by zoe
	// 2 sync.depot.goods/stop done 2 gates are closed
	// <nil>
	// true
}
