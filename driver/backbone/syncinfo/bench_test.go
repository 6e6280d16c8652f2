package syncinfo

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/spf13/afero"
)

const benchPairs = 500_000

func benchData(b *testing.B, mirror, mixed bool) []byte {
	b.Helper()
	data, err := io.ReadAll(&generator{n: benchPairs, mirror: mirror, mixed: mixed})
	if err != nil {
		b.Fatal(err)
	}
	return data
}

func BenchmarkReader(b *testing.B) {
	data := benchData(b, false, false)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		r := NewExportReader("a", bytes.NewReader(data))
		for {
			if _, err := r.Next(); err != nil {
				if !errors.Is(err, io.EOF) {
					b.Fatal(err)
				}
				break
			}
		}
	}
}

// BenchmarkCopy copies the same bytes from file to file, for comparison with BenchmarkReader and BenchmarkMerge.
func BenchmarkCopy(b *testing.B) {
	dir := b.TempDir()
	writeBench(b, dir, false)
	b.SetBytes(benchSize(b, dir))
	for b.Loop() {
		out, err := os.Create(filepath.Join(dir, "out"))
		if err != nil {
			b.Fatal(err)
		}
		for _, n := range []string{"a", "b"} {
			in, err := os.Open(filepath.Join(dir, n))
			if err != nil {
				b.Fatal(err)
			}
			// Plain reads and writes, as in Merge, not the kernel's own copying.
			if _, err := io.CopyBuffer(struct{ io.Writer }{out}, struct{ io.Reader }{in}, make([]byte, 1<<20)); err != nil {
				b.Fatal(err)
			}
			in.Close()
		}
		if err := out.Sync(); err != nil {
			b.Fatal(err)
		}
		out.Close()
	}
}

func BenchmarkMerge(b *testing.B)         { benchMerge(b, false, false) }
func BenchmarkMergeComplete(b *testing.B) { benchMerge(b, true, false) }
func BenchmarkMergeMixed(b *testing.B)    { benchMerge(b, false, true) }

// benchMerge merges two files. If mixed is set, their entries are not in the order of their IDs.
func benchMerge(b *testing.B, complete, mixed bool) {
	dir := b.TempDir()
	writeBench(b, dir, mixed)
	b.SetBytes(benchSize(b, dir))
	b.ReportAllocs()
	for b.Loop() {
		_, err := Merge(context.Background(), MergeOptions{Fs: afero.NewOsFs(), Master: filepath.Join(dir, "a"),
			Slave: filepath.Join(dir, "b"), Migrating: Slave, Out: filepath.Join(dir, "out"), CompleteComments: complete})
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSet(b *testing.B) {
	for b.Loop() {
		s := NewSet()
		e := Entry{RemoteKey: []byte("PAR-1")}
		for i := range 1_000_000 {
			e.LocalKey = appendInt(e.LocalKey[:0], i)
			if err := s.Add(&e); err != nil {
				b.Fatal(err)
			}
			e.Offset += 500
		}
		if _, _, err := s.Seal(); err != nil {
			b.Fatal(err)
		}
		for i := range 1_000_000 {
			e.LocalKey = appendInt(e.LocalKey[:0], i)
			if m, err := s.Match(&e); err != nil || m.Outcome != Matched {
				b.Fatal(m, err)
			}
		}
	}
}

func appendInt(b []byte, i int) []byte {
	if i >= 10 {
		b = appendInt(b, i/10)
	}
	return append(b, byte('0'+i%10))
}

func writeBench(b *testing.B, dir string, mixed bool) {
	b.Helper()
	for n, mirror := range map[string]bool{"a": false, "b": true} {
		if err := os.WriteFile(filepath.Join(dir, n), benchData(b, mirror, mixed), 0o600); err != nil {
			b.Fatal(err)
		}
	}
}

func benchSize(b *testing.B, dir string) int64 {
	b.Helper()
	var sum int64
	for _, n := range []string{"a", "b"} {
		info, err := os.Stat(filepath.Join(dir, n))
		if err != nil {
			b.Fatal(err)
		}
		sum += info.Size()
	}
	return sum
}
