package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestExponent(t *testing.T) {
	for _, c := range []struct {
		small, large int
		cheap, dear  time.Duration
		want         float64
	}{
		{10, 100, time.Second, 10 * time.Second, 1},
		{10, 100, time.Second, 100 * time.Second, 2},
		{10, 10, time.Second, time.Second, math.NaN()},
		{10, 100, 0, time.Second, math.NaN()},
	} {
		got := exponent(c.small, c.large, c.cheap, c.dear)
		if math.Abs(got-c.want) > 1e-9 || math.IsNaN(got) != math.IsNaN(c.want) {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

func TestMedian(t *testing.T) {
	got := median([]figures{{1, 30, 5}, {3, 10, 4}, {2, 20, 9}})
	if got != (figures{2, 20, 5}) {
		t.Error(got)
	}
}

// TestTail: of however much output, written in whatever way, the end is kept, and no more.
func TestTail(t *testing.T) {
	long := strings.Repeat("x", 5*mostOfTail) + "the end"
	for _, piece := range []int{1, 1000, mostOfTail, len(long)} {
		var last tail
		for rest := long; rest != ""; rest = rest[min(piece, len(rest)):] {
			if _, err := last.Write([]byte(rest[:min(piece, len(rest))])); err != nil {
				t.Fatal(err)
			}
		}
		if string(last.kept) != long[len(long)-mostOfTail:] {
			t.Errorf("%d bytes at a time: %d are kept, %q", piece, len(last.kept), last.kept[max(0, len(last.kept)-9):])
		}
	}
	var last any = &tail{}
	if _, direct := last.(io.ReaderFrom); direct {
		t.Error("a process's output would go by ReadFrom, and be kept whole")
	}
}

// TestExports: both files of a merge are JSON, and have every pair once.
func TestExports(t *testing.T) {
	const n = 1000
	dir := t.TempDir()
	if err := exports(dir, n); err != nil {
		t.Fatal(err)
	}
	type entry struct{ LocalIssueKey, RemoteIssueKey string }
	read := func(side string) map[string]string {
		text, err := os.ReadFile(filepath.Join(dir, side+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var file struct{ FirstConnector []entry }
		if err := json.Unmarshal(text, &file); err != nil {
			t.Fatal(err)
		}
		pairs := map[string]string{}
		for _, e := range file.FirstConnector {
			pairs[e.LocalIssueKey] = e.RemoteIssueKey
		}
		return pairs
	}
	master, slave := read("master"), read("slave")
	if len(master) != n || len(slave) != n {
		t.Fatalf("%d and %d pairs", len(master), len(slave))
	}
	for local, remote := range master {
		if slave[remote] != local {
			t.Errorf("%s has no mirror", local)
		}
	}
}

// TestEngineAndLoop: both send two requests a step, and leave no journal.
func TestEngineAndLoop(t *testing.T) {
	s := answering(0)
	defer s.Close()
	for _, shape := range []string{"apart", "chain"} {
		dir := t.TempDir()
		if err := carry(t.Context(), []string{s.URL, "9", shape, dir}); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(filepath.Join(dir, "journal")); err == nil {
			t.Error("the journal is still there: the next run would find all done")
		}
	}
	if err := loop(t.Context(), []string{s.URL, "9"}); err != nil {
		t.Error(err)
	}
}

// TestNoRaceIsWonByFailing: an exit code that is not the right one ends the race.
func TestNoRaceIsWonByFailing(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	r := race{name: "failing", unit: "times", sizes: []int{1},
		prepare: func(context.Context, *tools, string, int) ([]entrant, error) {
			return []entrant{{name: "we", argv: []string{self, "-test.run=^$", "-test.nosuchflag"}}}, nil
		}}
	if _, err := r.run(t.Context(), nil, t.TempDir(), options{runs: 1, scale: 1}, io.Discard); err == nil {
		t.Error("it counts")
	}
}

func TestWritePage(t *testing.T) {
	page := filepath.Join(t.TempDir(), "README.md")
	if err := writePage(page, "x"); err == nil {
		t.Error("a page that does not exist was written")
	}
	for text, want := range map[string]string{
		"a\n" + begin + "old\n" + end + "b\n": "a\n" + begin + "\nnew\n\n" + end + "b\n",
		"a\n" + end:                           "",
	} {
		if err := os.WriteFile(page, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		err := writePage(page, "new\n")
		got, _ := os.ReadFile(page)
		if want == "" && err == nil || want != "" && string(got) != want {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}

// TestRaces: names are unique, and growth is measured only between sizes of one race.
func TestRaces(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range races {
		if seen[r.name] || r.aim == "" || strings.TrimSpace(r.name) == "" {
			t.Errorf("%q: twice, or without an aim", r.name)
		}
		seen[r.name] = true
	}
	small := result{race: races[0], n: 1, cost: map[string]figures{"we": {cpu: time.Second}}}
	large := result{race: races[0], n: 10, cost: map[string]figures{"we": {cpu: 10 * time.Second}}}
	other := result{race: races[1], n: 10, cost: large.cost}
	if growth([]result{small}, large, "we") != "1.00" || growth([]result{small}, other, "we") != "" {
		t.Error("growth is wrong")
	}
}

// TestLibrary: the library alone reads and evaluates what declare writes, and says what it cannot read.
func TestLibrary(t *testing.T) {
	dir := t.TempDir()
	if err := library(t.Context(), []string{dir}); err == nil {
		t.Error("a folder without files was read")
	}
	if err := declare(dir, 25, servers); err != nil {
		t.Fatal(err)
	}
	if err := library(t.Context(), []string{dir}); err != nil {
		t.Error(err)
	}
	wrong := func(w *bufio.Writer) {
		_, _ = w.WriteString("sync \"backbone\" \"x\" {\n  comments = unknown.word\n}\n")
	}
	if err := write(filepath.Join(dir, "wrong.sync.hcl"), wrong); err != nil {
		t.Fatal(err)
	}
	if err := library(t.Context(), []string{dir}); err == nil {
		t.Error("a reference to nothing was evaluated")
	}
}
