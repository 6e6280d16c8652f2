package syncinfo

import (
	"bytes"
	"context"
	"fmt"
	"hash/maphash"
	"io"
	"os"
	"slices"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/schema"
)

// side is one of the two inputs of a merge.
type side struct {
	m             *merge
	role          Role
	path          string
	local, remote string // project keys, "" if not given
	report        *SideReport

	name    string // for messages
	info    os.FileInfo
	stream  io.Reader  // set if the side can be read only once
	opened  io.Closer  // what stream reads, if it was opened here
	file    afero.File // the file that is read; the spool if there is a stream
	spool   *tempFile
	again   *rereader
	reading *Reader
	hash    maphash.Hash // of the whole content
	size    int64
	read1   bool   // it has been read completely once
	content uint64 // the hash at that time

	swapped, odd              tally
	connector                 connectorSeen
	ids                       idsSeen
	comments, attachments     tally   // entries that have the id of a comment, or attachment, twice
	repeated, repeatedID      repeats // pairs, ids of entries
	sharedLocal, sharedRemote repeats
	places                    map[int64]Example // by offset: the entries that findings name
}

func newSide(m *merge, role Role, path string, report *SideReport) *side {
	s := &side{m: m, role: role, path: path, name: schema.SanitizeLine(path), report: report}
	if path == Standard {
		s.name = "standard input (" + string(role) + ")"
	}
	s.report.File = s.name
	return s
}

// source returns the side as a source that can be read again, from its file or its spool.
func (s *side) source() Source {
	options := []ReaderOption{MaxEntry(s.m.o.MaxEntry), sharing(&s.m.buffer)}
	if s.m.o.CompleteComments {
		options = append(options, keepPairs())
	}
	return Source{
		Name: s.name, Section: First, options: options,
		Open: func() (io.ReadCloser, error) {
			if _, err := s.file.Seek(0, io.SeekStart); err != nil {
				return nil, err
			}
			return io.NopCloser(s.file), nil
		},
	}
}

// rereader returns a reader of single entries, for a side that has been read.
func (s *side) rereader() *rereader {
	if s.again == nil {
		s.again = newRereader(s.name, s.file, s.m.o.MaxEntry)
	}
	return s.again
}

// read reads the side from its beginning to its end. The first time it checks and counts the entries. Later it checks
// that the content is still the same.
func (s *side) read(ctx context.Context, do func(e *Entry) error) error {
	if s.file == nil {
		if err := s.open(ctx); err != nil {
			return err
		}
	}
	src := s.source()
	f, err := src.Open()
	if err != nil {
		return fmt.Errorf("opening %s: %w", s.name, err)
	}
	var in io.Reader = f
	stop := func() {}
	if s.stream != nil && !s.read1 {
		in, stop = readWithin(ctx, s.stream)
		in = io.TeeReader(in, s.file)
	}
	if !s.read1 {
		s.hash.SetSeed(s.m.set.seed)
		s.ids.all = s.m.newDistinct(s)
	}
	s.hash.Reset()
	s.size = 0
	reading := readAhead(&contextReader{ctx, io.TeeReader(in, s)}, &s.m.pieces, firstBuffer, s.m.o.MaxEntry, !s.read1)
	r := src.reader(reading)
	r.s.findTwice = !s.read1
	if s.m.o.CompleteComments {
		s.reading = r // complete looks at the entry that was read last
	} else {
		r.ahead = reading
	}
	defer func() {
		stop() // first, since what is read ahead may wait for a stream in which nothing moves
		reading.stop()
	}()
	err = src.each(r, func(e *Entry) error {
		if !s.read1 {
			s.check(e)
		}
		return do(e)
	})
	if err != nil {
		return err
	}
	if s.read1 {
		if s.hash.Sum64() != s.content || s.size != s.report.Bytes {
			return changed(s.name)
		}
		return nil
	}
	s.read1, s.content, s.report.Bytes = true, s.hash.Sum64(), s.size
	s.ids.repeated = !s.ids.all.end() && s.ids.unordered
	s.warn(r)
	return nil
}

// check checks an entry when it is read for the first time.
func (s *side) check(e *Entry) {
	s.report.add(e)
	s.checkProject(e)
	s.connector.add(s.name, e)
	s.ids.add(e.ID)
	named := func(what string) func() string {
		return func() string { return pairName(e.LocalKey, e.RemoteKey) + what }
	}
	if e.OddSequence {
		s.odd.add(s.name, e, named(""))
	}
	if e.RepeatedComment != "" {
		s.comments.add(s.name, e, named(" has "+e.RepeatedComment))
	}
	if e.RepeatedAttachment != "" {
		s.attachments.add(s.name, e, named(" has "+e.RepeatedAttachment))
	}
}

// warn adds warnings about what is unusual but harmless in the file.
func (s *side) warn(r *Reader) {
	w := &s.m.report.Warnings
	for _, one := range r.Warnings() {
		*w = append(*w, Finding{Message: one.Msg, Where: one.Where, Count: 1})
	}
	if s.report.Pairs == 0 {
		*w = append(*w, Finding{Message: "no pair in this file", Where: s.name})
	}
	if n := s.odd.count; n > 0 {
		*w = append(*w, s.odd.finding("", entries(n)+" with a message sequence id that is not a whole number of 64 bits; "+
			"it could not be compared with the other side's"))
	}
}

// Write adds what is read to the hash.
func (s *side) Write(p []byte) (int, error) {
	s.size += int64(len(p))
	return s.hash.Write(p)
}

// checkProject notices keys that do not belong to the side's project.
func (s *side) checkProject(e *Entry) {
	if s.local == "" && s.remote == "" {
		return
	}
	for _, k := range [...]struct {
		key     []byte
		project string
		member  string
	}{{e.LocalKey, s.local, "localIssueKey"}, {e.RemoteKey, s.remote, "remoteIssueKey"}} {
		if k.project != "" && string(projectOf(k.key)) != k.project {
			s.swapped.add(s.name, e, func() string {
				return fmt.Sprintf("%s is %s, expected an issue of project %s", k.member, clip(string(k.key)), clip(k.project))
			})
			return
		}
	}
}

// projectOf returns the project part of an issue key.
func projectOf(key []byte) []byte {
	if i := bytes.LastIndexByte(key, '-'); i >= 0 {
		return key[:i]
	}
	return nil
}

// locate finds the entries at the offsets, for findings.
func (s *side) locate(ctx context.Context, offsets []int64) error {
	slices.Sort(offsets)
	offsets = slices.Compact(offsets)
	found, err := s.source().name(ctx, offsets)
	s.places = map[int64]Example{}
	for i := range found {
		s.places[offsets[i]] = found[i]
	}
	return err
}
