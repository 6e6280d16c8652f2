package host

import (
	"bytes"
	"encoding/binary"
	"io"
	"testing"
	"testing/iotest"
)

// The types of SFTP packets (draft-ietf-secsh-filexfer-02).
const (
	sftpInit, sftpVersion                                          = 1, 2
	sftpStatus, sftpHandle, sftpData, sftpName, sftpAttrs, sftpExt = 101, 102, 103, 104, 105, 201
)

// TestMeter checks that only answers with names count, however the bytes are divided: a file that is read while a
// folder is listed may be as large as it likes.
func TestMeter(t *testing.T) {
	var stream []byte
	for _, a := range []struct {
		kind byte
		size int
	}{{sftpData, 1000}, {sftpName, 60}, {sftpStatus, 4}, {sftpData, 0}, {sftpName, 40}, {sftpData, 5000}} {
		stream = binary.BigEndian.AppendUint32(stream, uint32(1+a.size))
		stream = append(append(stream, a.kind), bytes.Repeat([]byte{sftpName}, a.size)...)
	}
	for name, by := range map[string]func(io.Reader) io.Reader{
		"at once": func(r io.Reader) io.Reader { return r }, "byte by byte": iotest.OneByteReader,
		"halves": iotest.HalfReader,
	} {
		for most, called := range map[int64]bool{99: true, 100: false} {
			m, calls := &meter{Reader: by(bytes.NewReader(stream))}, 0
			m.limit(most, func() { calls++ })
			got, err := io.ReadAll(m)
			if err != nil || !bytes.Equal(got, stream) || (calls == 1) != called || m.seen != 100 {
				t.Errorf("%s: %d calls at %d, %d of %d bytes, %v", name, calls, most, m.seen, len(got), err)
			}
		}
	}
}
