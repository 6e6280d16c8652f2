package syncinfo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// PairDiff is the outcome of ComparePairs.
type PairDiff struct {
	Want, Got      string    // names of the sources
	WantPairs      int       // number of different pairs wanted
	GotPairs       int       // entries read on the other side, duplicates included
	GotTally       Tally     // of those entries
	Missing, Extra int       // pairs that are wanted but missing; pairs that exist but are not wanted
	FirstMissing   []Example // the first ten, in the order of the file that has them
	FirstExtra     []Example
	WantTwice      int // entries wanted more than once; each pair counts once in WantPairs
	GotTwice       int // entries that exist more than once
	FirstTwice     []Example

	extraAt []int64 // offsets of FirstExtra
}

// Same reports whether got has exactly the wanted pairs, each once.
func (d *PairDiff) Same() bool { return d.Missing == 0 && d.Extra == 0 && d.GotTwice == 0 }

// String returns the differences, one per line, or "" if there are none.
func (d *PairDiff) String() string {
	var b strings.Builder
	part := func(n int, what string, list []Example) {
		if n == 0 {
			return
		}
		fmt.Fprintf(&b, "%d %s\n", n, what)
		writeExamples(&b, list, n)
	}
	part(d.Missing, fmt.Sprintf("of %d pairs of %s missing in %s", d.WantPairs, d.Want, d.Got), d.FirstMissing)
	part(d.Extra, fmt.Sprintf("of %d pairs in %s unknown to %s", d.GotPairs, d.Got, d.Want), d.FirstExtra)
	part(d.GotTwice, fmt.Sprintf("of %d pairs in %s there more than once", d.GotPairs, d.Got), d.FirstTwice)
	return b.String()
}

// ComparePairs checks that got has every pair of want, no more and no fewer. Pairs are equal if their local and
// remote keys are. Its memory is that of a Set of want, and of a Set of the extra pairs. It returns the errors of
// Reader.Next and of Open.
func ComparePairs(ctx context.Context, want, got Source) (*PairDiff, error) {
	d := &PairDiff{Want: want.Name, Got: got.Name}
	set := NewSet()
	file, err := fillSet(ctx, want, set)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if _, d.WantTwice, err = set.Seal(); err != nil {
		return nil, err
	}
	d.WantPairs = set.Pairs()
	extra := NewSet()
	if err := d.meet(ctx, set, extra, got); err != nil {
		return nil, err
	}
	if err := d.extraTwice(extra); err != nil {
		return nil, err
	}
	d.Missing = set.Unmatched()
	if d.FirstMissing, err = want.name(ctx, set.unmatched()); err != nil {
		return nil, err
	}
	return d, nil
}

// fillSet reads the source into the set. It leaves the source open, so that the set can read entries again.
func fillSet(ctx context.Context, from Source, set *Set) (io.Closer, error) {
	r, file, err := from.stream(ctx)
	if err != nil {
		return nil, err
	}
	if err := from.each(r, set.Add); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	if at, ok := file.(io.ReaderAt); ok {
		set.confirmed = newRereader(from.Name, at, r.maxEntry)
	}
	return file, nil
}

// meet reads got and looks up each of its pairs in the set.
func (d *PairDiff) meet(ctx context.Context, set, extra *Set, got Source) error {
	r, closer, err := got.stream(ctx)
	if err != nil {
		return err
	}
	defer closer.Close()
	return got.each(r, func(e *Entry) error {
		d.GotPairs++
		d.GotTally.add(e)
		m, err := set.Match(e)
		if err != nil {
			return err
		}
		switch m.Outcome {
		case Missing:
			d.Extra++
			if len(d.FirstExtra) < examples {
				d.extraAt = append(d.extraAt, e.Offset)
			}
			d.FirstExtra = addExample(d.FirstExtra, e, got.Name)
			return extra.Add(e)
		case Again:
			d.GotTwice++
			d.FirstTwice = addExample(d.FirstTwice, e, got.Name)
		}
		return nil
	})
}

// extraTwice counts those extra pairs that exist more than once as duplicates instead.
func (d *PairDiff) extraTwice(extra *Set) error {
	first, twice, err := extra.Seal()
	d.Extra -= twice
	d.GotTwice += twice
	for _, again := range first {
		if i := slices.Index(d.extraAt, again.Offset); i >= 0 {
			if len(d.FirstTwice) < examples {
				d.FirstTwice = append(d.FirstTwice, d.FirstExtra[i])
			}
			d.extraAt, d.FirstExtra = slices.Delete(d.extraAt, i, i+1), slices.Delete(d.FirstExtra, i, i+1)
		}
	}
	return err
}

func addExample(list []Example, e *Entry, file string) []Example {
	if len(list) == examples {
		return list
	}
	return append(list, Example{e.Where(file), pairName(e.LocalKey, e.RemoteKey)})
}

// writeExamples writes the examples, indented, and the number of further ones.
func writeExamples(b *strings.Builder, list []Example, n int) {
	for _, e := range list {
		fmt.Fprintf(b, "  %s\n", e)
	}
	if n > len(list) && len(list) > 0 {
		fmt.Fprintf(b, "  and %d more\n", n-len(list))
	}
}
