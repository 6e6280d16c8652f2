package syncinfo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"

	"github.com/spf13/afero"
)

// side is one of the two inputs of a merge.
type side struct {
	m             *merge
	role          Role
	path          string
	local, remote string // project keys, "" if not given
	report        *SideReport

	file    afero.File // what is read; the spool where the input is standard input
	spooled string     // path of the spool
	again   *rereader
	reading *Reader
	hash    maphash.Hash // of the whole content
	size    int64
	read1   bool   // it has been read to its end once
	content uint64 // the hash then
	swapped tally
}

func (s *side) name() string {
	if s.path == Standard {
		return "standard input (" + string(s.role) + ")"
	}
	return s.path
}

func (s *side) open() error {
	s.report.File = s.name()
	if s.path != Standard {
		f, err := s.m.o.Fs.Open(s.path)
		if err != nil {
			return fmt.Errorf("opening the %s's file: %w", s.role, err)
		}
		s.file = f
		return nil
	}
	if s.m.o.Stdin == nil {
		return fmt.Errorf("reading the %s's file from standard input: there is none", s.role)
	}
	f, path, err := createTemp(s.m.o.Fs, s.m.o.tempFor("input"), 0o600)
	if err != nil {
		return fmt.Errorf("keeping standard input: %w", err)
	}
	s.file, s.spooled = f, path
	return nil
}

func (s *side) close() error {
	var errs []error
	if s.file != nil {
		errs = append(errs, s.file.Close())
	}
	if s.spooled != "" {
		errs = append(errs, s.m.o.Fs.Remove(s.spooled))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("closing %s: %w", s.name(), err)
	}
	return nil
}

// source lets the side be read again, from its file or its spool.
func (s *side) source() Source {
	options := []ReaderOption{MaxEntry(s.m.o.MaxEntry)}
	if s.m.o.CompleteComments {
		options = append(options, keepPairs())
	}
	return Source{
		Name: s.name(), Section: First, options: options,
		Open: func() (io.ReadCloser, error) {
			if _, err := s.file.Seek(0, io.SeekStart); err != nil {
				return nil, err
			}
			return io.NopCloser(s.file), nil
		},
	}
}

// rereader reads single entries of the side, once it has been read.
func (s *side) rereader() *rereader {
	if s.again == nil {
		s.again = newRereader(s.name(), s.file, s.m.o.MaxEntry)
	}
	return s.again
}

// read reads the side from its beginning to its end. The first time it checks and counts the entries; later times it
// checks that the content is the same.
func (s *side) read(ctx context.Context, do func(e *Entry) error) error {
	src := s.source()
	f, err := src.Open()
	if err != nil {
		return fmt.Errorf("opening %s: %w", s.name(), err)
	}
	var in io.Reader = f
	if s.path == Standard && !s.read1 {
		in = io.TeeReader(s.m.o.Stdin, s.file)
	}
	if !s.read1 {
		s.hash.SetSeed(s.m.set.seed)
	}
	s.hash.Reset()
	s.size = 0
	r := src.reader(&contextReader{ctx, io.TeeReader(in, s)})
	s.reading = r
	err = src.each(r, func(e *Entry) error {
		if !s.read1 {
			s.report.add(e)
			s.checkProject(e)
		}
		return do(e)
	})
	if err != nil {
		return err
	}
	if s.read1 {
		if s.hash.Sum64() != s.content || s.size != s.report.Bytes {
			return changed(s.name())
		}
		return nil
	}
	s.read1, s.content, s.report.Bytes = true, s.hash.Sum64(), s.size
	for _, w := range r.Warnings() {
		s.m.report.Warnings = append(s.m.report.Warnings, Finding{Message: w.Msg, Where: w.Where, Count: 1})
	}
	if s.report.Pairs == 0 {
		s.m.report.Warnings = append(s.m.report.Warnings, Finding{Message: "no pair in this file", Where: s.name()})
	}
	return nil
}

// Write takes what is read, for its hash.
func (s *side) Write(p []byte) (int, error) {
	s.size += int64(len(p))
	return s.hash.Write(p)
}

// checkProject notices keys that are not of the side's project.
func (s *side) checkProject(e *Entry) {
	for _, k := range [...]struct {
		key     []byte
		project string
		member  string
	}{{e.LocalKey, s.local, "localIssueKey"}, {e.RemoteKey, s.remote, "remoteIssueKey"}} {
		if k.project != "" && string(projectOf(k.key)) != k.project {
			s.swapped.add(s.name(), e, func() string {
				return fmt.Sprintf("%s is %s, expected an issue of project %s", k.member, clip(string(k.key)), k.project)
			})
			return
		}
	}
}

// projectOf gives the project part of an issue key.
func projectOf(key []byte) []byte {
	if i := bytes.LastIndexByte(key, '-'); i >= 0 {
		return key[:i]
	}
	return nil
}

// duplicates makes a finding of entries that have the same pair.
func (s *side) duplicates(ctx context.Context, first []Duplicate, count int) error {
	t := tally{count: count}
	offsets := make([]int64, len(first))
	for i, d := range first {
		offsets[i] = d.Offset
	}
	var err error
	if t.examples, err = s.source().name(ctx, offsets); err != nil {
		return err
	}
	if s == s.m.move { // most of the migrating side's are met in the set of the other
		t.count += s.m.again.count
		t.examples = append(t.examples, s.m.again.examples...)
		t.examples = t.examples[:min(len(t.examples), examples)]
	}
	if t.count > 0 {
		s.m.found(t.finding(Doubled, fmt.Sprintf("%s has %s of a pair that it has already; remove the wrong entry", s.name(), entries(t.count))))
	}
	return nil
}
