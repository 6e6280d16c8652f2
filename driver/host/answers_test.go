//go:build unix

package host

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"testing"
	"time"
)

// answering returns the files of a machine. It answers each SFTP packet, according to its type, with what answer
// returns.
func answering(t *testing.T, answer func(kind byte) []byte) *sftpFiles {
	t.Helper()
	hear, ask := io.Pipe()
	told, say := io.Pipe()
	write := func(p []byte) error {
		_, err := say.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(p))), p...))
		return err
	}
	go func() {
		for {
			var length [4]byte
			if _, err := io.ReadFull(hear, length[:]); err != nil {
				return
			}
			p := make([]byte, binary.BigEndian.Uint32(length[:]))
			if _, err := io.ReadFull(hear, p); err != nil {
				return
			}
			var err error
			if p[0] == sftpInit {
				err = write([]byte{sftpVersion, 0, 0, 0, 3})
			} else {
				a := answer(p[0])
				err = write(append(append([]byte{a[0]}, p[1:5]...), a[1:]...))
			}
			if err != nil {
				return
			}
		}
	}()
	open := func(context.Context) (*transfer, error) {
		in := &meter{Reader: told}
		c, err := speak(in, ask)
		if err != nil {
			return nil, err
		}
		return newTransfer(c, in), nil
	}
	session, err := open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { hear.Close(); say.Close(); _ = session.Close() })
	return &sftpFiles{ctx: t.Context(), limit: time.Minute, name: "test",
		client: func(context.Context) (*transfer, error) { return session, nil }}
}

// everything uses files in every way, and returns the errors.
func everything(files Files) (errs []error) {
	note := func(err error) { errs = append(errs, err) }
	_, err := files.Stat("/a")
	note(err)
	_, err = files.Lstat("/a")
	note(err)
	_, err = files.Readlink("/a")
	note(err)
	_, err = files.Names("/a")
	note(err)
	_, err = ReadFile(files, "/a", 1<<20)
	note(err)
	f, err := files.Create("/a")
	if note(err); err == nil {
		_, err = f.Stat()
		note(err)
		_, err = f.Write([]byte("text"))
		note(errors.Join(err, f.Chmod(0o600), f.Chown(1, 1), f.Sync(), f.Close()))
	}
	if f, err := files.Open("/a"); err == nil {
		_, err = f.Seek(0, io.SeekEnd)
		note(errors.Join(err, f.Close()))
	}
	note(files.Rename("/a", "/b"))
	note(files.Remove("/a"))
	return errs
}

// fileStat is SSH_FXP_FSTAT.
const fileStat = 8

// private is the answer about a file that only its owner may read.
var private = []byte{sftpAttrs, 0, 0, 0, 4, 0, 0, 0x81, 0x80}

// TestMachineThatTellsNothing checks that a machine that answers questions with "OK" has told nothing.
func TestMachineThatTellsNothing(t *testing.T) {
	well := []byte{sftpStatus, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	handle := []byte{sftpHandle, 0, 0, 0, 1, 'h'}
	attrs := []byte{sftpAttrs, 0, 0, 0, 4, 0, 0, 0x81, 0xa4} // a regular file
	files := answering(t, func(byte) []byte { return well })
	_, err := files.Stat("/a")
	is(t, err, fs.ErrInvalid)
	_, err = files.Lstat("/a")
	is(t, err, fs.ErrInvalid)
	_, err = files.Readlink("/a")
	is(t, err, fs.ErrInvalid)
	_, err = files.Create("/a")
	is(t, err, fs.ErrInvalid)
	files = answering(t, func(kind byte) []byte {
		switch kind {
		case 17: // STAT
			return attrs
		case 3: // OPEN
			return handle
		}
		return well
	})
	_, err = ReadFile(files, "/a", 1<<20)
	is(t, err, fs.ErrInvalid)
	_, err = files.Create("/a")
	is(t, err, fs.ErrInvalid)
	asked := 0
	files = answering(t, func(kind byte) []byte {
		switch {
		case kind == 3:
			return handle
		case kind == fileStat && asked == 0:
			asked++
			return private
		}
		return well
	})
	f, err := files.Create("/a")
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Stat()
	is(t, err, fs.ErrInvalid)
}

// TestAnswersOfAnyKind checks that any answer of a machine is handled without a crash or a hang.
func TestAnswersOfAnyKind(t *testing.T) {
	kinds := []byte{sftpStatus, sftpHandle, sftpData, sftpName, sftpAttrs, sftpExt}
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 0))
		files := answering(t, func(asked byte) []byte {
			if asked == fileStat && r.IntN(2) == 0 {
				return private
			}
			kind := kinds[r.IntN(len(kinds))]
			if kind == sftpHandle {
				return []byte{sftpHandle, 0, 0, 0, 1, 'h'}
			}
			out := []byte{kind}
			for range r.IntN(40) {
				out = append(out, byte(r.IntN([]int{1, 6, 256}[r.IntN(3)]))) // #nosec G115 -- it is below 256
			}
			return out
		})
		_ = everything(files)
	}
}
