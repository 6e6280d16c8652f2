package keystore

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/drivertest"
	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/executor"
)

var errFault = errors.New("a fault asked for")

// faultyFs fails at its nth access, before or after the access is done. If dead is set, all later accesses fail too,
// as if the process had been killed there.
type faultyFs struct {
	afero.Fs

	left        *int
	dead, after bool
}

func (f faultyFs) do(act func() error) error {
	*f.left--
	switch {
	case *f.left == 0 && f.after:
		_ = act()
		return errFault
	case *f.left == 0, f.dead && *f.left < 0:
		return errFault
	}
	return act()
}

func (f faultyFs) Open(name string) (afero.File, error) { return f.OpenFile(name, os.O_RDONLY, 0) }

func (f faultyFs) OpenFile(name string, flag int, mode os.FileMode) (file afero.File, err error) {
	err = f.do(func() error { file, err = f.Fs.OpenFile(name, flag, mode); return err })
	if err != nil {
		return nil, err
	}
	return faultyFile{file, f}, nil
}

func (f faultyFs) Stat(name string) (info os.FileInfo, err error) {
	err = f.do(func() error { info, err = f.Fs.Stat(name); return err })
	return info, err
}

func (f faultyFs) Remove(name string) error { return f.do(func() error { return f.Fs.Remove(name) }) }

func (f faultyFs) Rename(from, to string) error {
	return f.do(func() error { return f.Fs.Rename(from, to) })
}

func (f faultyFs) Chmod(name string, mode os.FileMode) error {
	return f.do(func() error { return f.Fs.Chmod(name, mode) })
}

type faultyFile struct {
	afero.File

	fs faultyFs
}

func (f faultyFile) Write(p []byte) (n int, err error) {
	err = f.fs.do(func() error { n, err = f.File.Write(p); return err })
	if errors.Is(err, errFault) && n == 0 {
		n, _ = f.File.Write(p[:len(p)/2])
	}
	return n, err
}

func (f faultyFile) Read(p []byte) (n int, err error) {
	failed := f.fs.do(func() error { n, err = f.File.Read(p); return nil })
	if failed != nil {
		return n, failed
	}
	return n, err
}

func (f faultyFile) Sync() error  { return f.fs.do(f.File.Sync) }
func (f faultyFile) Close() error { return f.fs.do(f.File.Close) }

// TestFaults checks that wherever the process dies or an access fails, the file is the complete old or new one. The
// resumed run ends as it would have otherwise, and no key is generated twice. It tries every fifth access, with -short
// every twentieth, or all of them (drivertest.AllVariable).
func TestFaults(t *testing.T) {
	stride := 5
	switch {
	case drivertest.TestsAll():
		stride = 1
	case testing.Short():
		stride = 20
	}
	random := drivertest.Random(t)
	f := newFamily(t)
	body, files := f.full(t)
	for _, how := range []struct{ there, dead, after bool }{
		{there: true, dead: true}, {there: true, dead: true, after: true}, {there: true}, {there: true,
			after: true}, {dead: true}, {after: true},
	} {
		for n := 1 + random.IntN(stride); ; n += stride {
			b := newBench(t)
			var before []byte
			if how.there {
				before = b.written(&Store{Format: JKS, Entries: []Entry{f.server.entry(t, "other")}}, password)
			}
			r := b.run(b.declare(JKS, body+ownEntry, files).plan()) // its keys cost less to open, and a file is a file
			left := n
			rep := b.carry(r, faultyFs{b.fs, &left, how.dead, how.after})
			now, err := afero.ReadFile(b.fs, file)
			isOld := bytes.Equal(now, before) && (err == nil) == how.there
			if s, err := Open(context.Background(), now,
				password); !isOld && (err != nil || s.Entry("own") == nil || s.Entry("server") == nil || s.Trust("ca") == nil ||
				how.there && s.Entry("other") == nil) {
				t.Fatalf("%+v, access %d: neither old nor new: %v", how, n, err)
			}
			if isOld && rep.Finished {
				t.Errorf("%+v, access %d: the report says that it was done", how, n)
			}
			if rep.Finished && left > 0 {
				if n < 20 {
					t.Errorf("there were %d accesses alone", n)
				}
				break
			}
			if !rep.Finished {
				b.now = b.now.Add(1e9)
				if rep = b.carry(r, b.fs); !rep.Finished {
					t.Fatalf("%+v, access %d: taken up again, it does not end: %+v", how, n, rep.Steps)
				}
			}
			if after := b.read(file); !isOld && !bytes.Equal(now, after) {
				t.Errorf("%+v, access %d: it was written twice", how, n)
			}
			b.settled()
			for _, name := range b.listing() {
				if strings.Contains(name, ".syncctl-") && !how.dead {
					t.Errorf("%+v, access %d: left behind %v", how, n, b.listing())
				}
			}
		}
	}
}

// TestNotSent checks that Execute says so if certainly nothing was changed.
func TestNotSent(t *testing.T) {
	f := newFamily(t)
	body, files := f.full(t)
	b := newBench(t).declare(PKCS12, body, files)
	p := b.plan()
	cfg, _ := b.config()
	task := &executor.Task{Step: p.Steps[0], Resource: cfg.Resources[0]}
	b.put(file, "text")
	d := New(driver.Env{Fs: b.fs})
	if _, err := d.Execute(t.Context(), task); err == nil || !executor.WasNotSent(err) {
		t.Errorf("another file: %v", err)
	}
	before := b.written(&Store{Format: PKCS12, Entries: []Entry{f.server.entry(t, "theirs")}}, password)
	if _, err := d.Execute(t.Context(), task); !errors.Is(err,
		host.ErrChanged) || !executor.WasNotSent(err) || !bytes.Equal(b.read(file), before) {
		t.Errorf("another keystore: %v", err)
	}
	task.Step.Verb = "other"
	if _, err := d.Execute(t.Context(), task); err == nil || !executor.WasNotSent(err) {
		t.Errorf("another step: %v", err)
	}
	if v, err := d.Verify(t.Context(), task); err == nil {
		t.Errorf("another step: %+v", v)
	}
	if _, err := d.Facts(t.Context(), task.Resource, []string{"other"}); err == nil {
		t.Error("there is another fact")
	}
}
