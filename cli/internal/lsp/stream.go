package lsp

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
)

// maxMessage is the largest message that is read, in bytes. The largest file that is read is smaller.
const maxMessage = 64 << 20

// maxHeader is the maximum number of header lines of a message, including the empty line.
const maxHeader = 20

// stream reads and writes messages as the protocol frames them: a header with the length, an empty line, JSON.
type stream struct {
	in  *bufio.Reader
	out io.Writer
	mu  sync.Mutex // guards out
}

func newStream(in io.Reader, out io.Writer) *stream {
	return &stream{in: bufio.NewReaderSize(in, 4096), out: out}
}

// ReadObject implements jsonrpc2.ObjectStream. It answers a message that it cannot decode with an error, and reads the
// next message.
func (s *stream) ReadObject(v any) error {
	for {
		n, err := s.header()
		if err != nil {
			return err
		}
		var body bytes.Buffer // grows with what is received, not with the length in the header
		if _, err := io.CopyN(&body, s.in, n); err != nil {
			return err
		}
		wrong := json.Unmarshal(body.Bytes(), v)
		if wrong == nil {
			return nil
		}
		answer := map[string]any{"jsonrpc": "2.0", "id": nil, "error": map[string]any{"code": -32700,
			"message": "this message cannot be read: " + wrong.Error()}}
		if err := s.WriteObject(answer); err != nil {
			return err
		}
	}
}

// header reads the header of a message and returns the length of the message.
func (s *stream) header() (int64, error) {
	length := int64(-1)
	for range maxHeader {
		line, err := s.in.ReadSlice('\n')
		if err != nil {
			if errors.Is(err, bufio.ErrBufferFull) {
				err = errors.New("reading a header: a line has no end")
			}
			return 0, err
		}
		name, value, _ := strings.Cut(strings.TrimSpace(string(line)), ":")
		if name == "" && length >= 0 {
			return length, nil
		}
		if !strings.EqualFold(name, "Content-Length") {
			continue
		}
		length, err = strconv.ParseInt(strings.TrimSpace(value), 10, 64)
		if err != nil || length < 0 || length > maxMessage {
			return 0, fmt.Errorf("reading a header: a message has at most %d MiB", maxMessage>>20)
		}
	}
	return 0, errors.New("reading a header: there is none")
}

// WriteObject implements jsonrpc2.ObjectStream.
func (s *stream) WriteObject(v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err = s.out.Write(append(fmt.Appendf(nil, "Content-Length: %d\r\n\r\n", len(body)), body...))
	return err
}

// Close implements jsonrpc2.ObjectStream. It does nothing: the caller of newStream owns the streams.
func (s *stream) Close() error { return nil }
