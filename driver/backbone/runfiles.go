package backbone

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"

	"github.com/syncctl/syncctl/driver/backbone/syncinfo"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// Names of the run's files.
const mergedFile = "merged.json"

func exportFile(role string) string { return role + ".json" }

// hashOutput is the output with the SHA-256 of a run's file, recorded by the step that wrote it.
const hashOutput = "sha256"

// writerOf returns the op of the step that writes a file of the run.
func writerOf(name string) string {
	for _, role := range roles {
		if name == exportFile(role) {
			return op(opExport, role)
		}
	}
	return opMerge
}

// leftOver says how to continue when one half of the original is deleted and its export cannot be repeated.
const leftOver = "one half of the original is deleted already, so give the run up (syncctl resolve -abandon) " +
	"and apply again: the half that is left is then compared with the live pairs"

// verifyFile checks that a file of the run is complete and is the one that was written. It also records the outputs
// that later checks compare with, because the result of the step that wrote the file may have been lost.
func verifyFile(ctx context.Context, t *executor.Task, name string) (executor.Verdict, error) {
	f, err := t.Files.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return executor.NotDone.Because("the run has no file %s", name), nil
	}
	if err != nil {
		return executor.Verdict{}, err
	}
	defer f.Close()
	h := sha256.New()
	var tally syncinfo.Tally
	r := syncinfo.NewExportReader(name, io.TeeReader(f, h), syncinfo.WithSecond(), syncinfo.Counting(&tally))
	for err == nil {
		_, err = r.Next()
		if ctx.Err() != nil {
			return executor.Verdict{}, ctx.Err()
		}
	}
	if !errors.Is(err, io.EOF) {
		return executor.Verdict{}, executor.Final(err)
	}
	got := hex.EncodeToString(h.Sum(nil))
	if want := t.Output(t.Step.Op, hashOutput); want != "" && got != want {
		return executor.Verdict{}, executor.Final(fmt.Errorf("the run's file %s is not the one that was written: its "+
			"SHA-256 is %s, recorded is %s", name, got, want))
	}
	v := executor.Done.Because("%s is whole: %d entries", name, tally.Pairs)
	v.Outputs = map[string]string{hashOutput: got, sentOutput: sentBy(&tally)}
	return v, nil
}

// sentBy returns the number of messages that a half has sent, as an output of a step. It returns "" if an entry lacks
// it.
func sentBy(t *syncinfo.Tally) string {
	sent, known := t.Sent()
	if !known {
		return ""
	}
	return strconv.FormatInt(sent, 10)
}

// intact checks that files of the run are the ones that were written, before anything relies on them. Their hashes
// are in the journal. The error is final, as waiting does not help, and says how to repair it.
func intact(ctx context.Context, t *executor.Task, names ...string) error {
	for _, name := range names {
		writer := writerOf(name)
		mend := "write it again with: syncctl resolve " + planner.TypedID(t.Step.Addr, writer) + " -retry"
		if anyDeleted(t) {
			mend = leftOver
		}
		want := t.Output(writer, hashOutput)
		got, err := hashOf(ctx, t.Files, name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return executor.Final(fmt.Errorf("the run's file %s was not found; %s", name, mend))
		case err != nil:
			return err
		case want == "":
			return executor.Final(fmt.Errorf("the SHA-256 of the run's file %s is not recorded; %s", name, mend))
		case got != want:
			return executor.Final(fmt.Errorf("the run's file %s is not the one that was written: its SHA-256 is %s, "+
				"recorded is %s; %s", name, got, want, mend))
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

// exported returns the pairs of one end's export.
func exported(t *executor.Task, role string) syncinfo.Source {
	name := exportFile(role)
	return syncinfo.Source{Name: name, Open: func() (io.ReadCloser, error) { return t.Files.Open(name) }}
}

// wanted returns the pairs of one section of the merged file.
func wanted(t *executor.Task, end string) syncinfo.Source {
	return syncinfo.Source{
		Name: mergedFile, Section: sectionOf(end), Merged: true,
		Open: func() (io.ReadCloser, error) { return t.Files.Open(mergedFile) },
	}
}

// pairKeys are the two issues of a pair.
type pairKeys struct{ local, remote string }

// sampleKeys returns up to n pairs of an export, spread evenly over it.
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
