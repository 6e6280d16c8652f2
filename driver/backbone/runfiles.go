package backbone

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/syncctl/syncctl/driver/backbone/syncinfo"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// writerOf is the verb of the step that writes a file of the run.
func writerOf(name string) string {
	for _, role := range []string{master, slave} {
		if name == exportFile(role) {
			return opExport + role
		}
	}
	return opMerge
}

// leftOver is the way on once one half of the original is deleted and its export cannot be made anew.
const leftOver = "one half of the original is deleted already, so give the run up (syncctl resolve -abandon) and apply again: the half that is left is then compared with the live pairs"

// intact checks that files of the run are the ones that were written, before anything relies on them: their hashes are in
// the journal. What can be mended is said in the error, and waiting does not mend it.
func intact(ctx context.Context, t *executor.Task, names ...string) error {
	for _, name := range names {
		writer := writerOf(name)
		mend := "write it anew with: syncctl resolve " + planner.StepID(t.Step.Addr, writer) + " -retry"
		if t.IsDone(opDelete+master) || t.IsDone(opDelete+slave) {
			mend = leftOver
		}
		want := t.Output(writer, "sha256")
		got, err := hashOf(ctx, t.Files, name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return executor.Final(fmt.Errorf("the run's file %s is gone; %s", name, mend))
		case err != nil:
			return err
		case want != "" && got != want:
			return executor.Final(fmt.Errorf("the run's file %s is not the one that was written: its SHA-256 is %s, recorded is %s; %s", name, got, want, mend))
		}
	}
	return nil
}

func hashOf(ctx context.Context, files executor.Files, name string) (string, error) {
	f, err := files.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	buf := make([]byte, 1<<18)
	for {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		n, err := f.Read(buf)
		h.Write(buf[:n])
		if errors.Is(err, io.EOF) {
			return hex.EncodeToString(h.Sum(nil)), nil
		}
		if err != nil {
			return "", fmt.Errorf("reading the run's file %s: %w", name, err)
		}
	}
}

// exported are the pairs of one end's export.
func exported(t *executor.Task, role string) syncinfo.Source {
	name := exportFile(role)
	return syncinfo.Source{Name: name, Open: func() (io.ReadCloser, error) { return t.Files.Open(name) }}
}

// wanted are the pairs of one section of the merged file.
func wanted(t *executor.Task, end string) syncinfo.Source {
	return syncinfo.Source{
		Name: mergedFile, Section: sectionOf(end), Merged: true,
		Open: func() (io.ReadCloser, error) { return t.Files.Open(mergedFile) },
	}
}

// pairKeys are the two issues of a pair.
type pairKeys struct{ local, remote string }

// sampleKeys takes up to n pairs of an export, spread evenly over it.
func sampleKeys(files executor.Files, name string, n int) ([]pairKeys, error) {
	total := 0
	err := eachPair(files, name, func(pairKeys) { total++ })
	if err != nil || total == 0 || n <= 0 {
		return nil, err
	}
	if n > total {
		n = total
	}
	var out []pairKeys
	at := 0
	err = eachPair(files, name, func(k pairKeys) {
		if len(out) < n && at == len(out)*(total-1)/max(n-1, 1) {
			out = append(out, k)
		}
		at++
	})
	return out, err
}

func eachPair(files executor.Files, name string, do func(pairKeys)) error {
	f, err := files.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	r := syncinfo.NewExportReader(name, f)
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		do(pairKeys{string(e.LocalKey), string(e.RemoteKey)})
	}
}
