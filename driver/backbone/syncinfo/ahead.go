package syncinfo

import "io"

// ahead reads before it is asked to, in a goroutine of its own.
type ahead struct {
	full chan piece
	free chan []byte // closed to end the goroutine
	now  piece
	rest []byte // of now.data
}

// piece is what one call of Read gave.
type piece struct {
	data []byte
	err  error
}

// pieces are the buffers of one reading at a time; they are made when they are needed.
type pieces [3][]byte

func readAhead(r io.Reader, buffers *pieces) *ahead {
	a := &ahead{full: make(chan piece, len(buffers)), free: make(chan []byte, len(buffers))}
	for i := range buffers {
		if buffers[i] == nil {
			buffers[i] = make([]byte, firstBuffer)
		}
		a.free <- buffers[i]
	}
	go func() {
		defer close(a.full)
		for b := range a.free {
			n, err := r.Read(b)
			a.full <- piece{b[:n], err}
			if err != nil {
				return
			}
		}
	}()
	return a
}

func (a *ahead) Read(p []byte) (int, error) {
	if len(a.rest) == 0 && a.now.err == nil {
		if a.now.data != nil {
			a.free <- a.now.data[:firstBuffer]
		}
		a.now = <-a.full
		a.rest = a.now.data
	}
	n := copy(p, a.rest)
	if a.rest = a.rest[n:]; len(a.rest) == 0 {
		return n, a.now.err
	}
	return n, nil
}

// stop returns once the goroutine has ended.
func (a *ahead) stop() {
	close(a.free)
	for range a.full {
	}
}
