package keystore

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"sync"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// product is what the ids of findings begin with.
const product = "keystore"

// Driver knows keystores. It keeps one connection for each of them that lies on another machine, until Close.
type Driver struct {
	env    driver.Env
	random io.Reader
	encode func(s *standing, random io.Reader) ([]byte, *Store, error) // makes a file's content; tests have a faulty one

	mu    sync.Mutex
	hosts map[*schema.Resource]host.Host
}

// New makes the driver.
func New(env driver.Env) driver.Driver {
	if env.Now == nil {
		env.Now = time.Now
	}
	return &Driver{env: env, random: rand.Reader, encode: (*standing).encode, hosts: map[*schema.Resource]host.Host{}}
}

// Close gives the connections back.
func (d *Driver) Close(context.Context) error {
	d.mu.Lock()
	hosts := d.hosts
	d.hosts = map[*schema.Resource]host.Host{}
	d.mu.Unlock()
	var errs []error
	for r, h := range hosts {
		if err := h.Close(); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", r.Addr, err))
		}
	}
	return errors.Join(errs...)
}

func (d *Driver) host(r *schema.Resource) (host.Host, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if h := d.hosts[r]; h != nil {
		return h, nil
	}
	h, err := OpenHost(d.env, r, "host")
	if err != nil {
		return nil, fmt.Errorf("reaching the machine of %s: %w", r.Addr, err)
	}
	d.hosts[r] = h
	return h, nil
}

// facts are what a plan is made from. There is no secret in them.
type facts struct {
	Machine string    `json:"machine"`
	Now     time.Time `json:"now"`

	Sum      string `json:"sum"`      // SHA-256 of the file; "": there is none
	NoFolder string `json:"noFolder"` // the folder that is not there
	Previous bool   `json:"previous"` // it opens with previous_password alone
	Problem  *Error `json:"problem"`  // why it cannot be opened
	Store    *Store `json:"store"`    // what is in it; nil where there is no file or a Problem
}

// Read returns what the file holds, as {facts}.
func (d *Driver) Read(ctx context.Context, r *schema.Resource) (cty.Value, error) {
	f, _, err := d.look(ctx, r)
	if err != nil {
		return cty.NilVal, err
	}
	b, err := json.Marshal(f)
	if err != nil {
		return cty.NilVal, fmt.Errorf("packing facts: %w", err)
	}
	return cty.ObjectVal(map[string]cty.Value{"facts": cty.StringVal(string(b))}), nil
}

// look reads the file. The Store that it returns has the keys; it is nil where that of the facts is.
func (d *Driver) look(_ context.Context, r *schema.Resource) (*facts, *Store, error) {
	h, err := d.host(r)
	if err != nil {
		return nil, nil, err
	}
	f := &facts{Machine: h.Name(), Now: d.env.Now().UTC().Truncate(time.Second)}
	name := reveal(r, "path")
	content, there, err := readFile(h.Files(), name)
	var unusable *Error
	switch {
	case errors.As(err, &unusable):
		f.Problem = unusable
		return f, nil, nil
	case err != nil:
		return nil, nil, fmt.Errorf("reading %s on %s: %w", name, h.Name(), err)
	case !there:
		if folder := folderOf(name); !isFolder(h.Files(), folder) {
			f.NoFolder = folder
		}
		return f, nil, nil
	}
	f.Sum = host.Sum(content)
	s, err := Open(content, reveal(r, "password"))
	if errors.As(err, &unusable) && unusable.Rule == RuleWrongPassword {
		if previous := reveal(r, "previous_password"); previous != "" {
			var before *Store
			if before, err = Open(content, previous); err == nil {
				s, f.Previous = before, true
			} else {
				err = unusable
			}
		}
	}
	if errors.As(err, &unusable) {
		f.Problem = unusable
		return f, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("reading %s on %s: %w", name, h.Name(), err)
	}
	f.Store = s
	return f, s, nil
}

// mostBytes is how large a keystore may be. One of a thousand authorities has two million.
const mostBytes = 16 << 20

// readFile reads a file. What can be no keystore by its kind or size is an *Error.
func readFile(files host.Files, name string) (content []byte, there bool, err error) {
	info, err := files.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, false, nil
	case err != nil:
		return nil, false, err
	case !info.Mode().IsRegular():
		return nil, true, &Error{RuleNotAKeystore, "it is not a regular file", "path names the file itself."}
	case info.Size() > mostBytes:
		return nil, true, &Error{RuleNotAKeystore, fmt.Sprintf("it has %d bytes, more than any keystore", info.Size()), "Correct path."}
	}
	content, err = host.ReadFile(files, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	return content, true, err
}

func isFolder(files host.Files, name string) bool {
	info, err := files.Stat(name)
	return err == nil && info.IsDir()
}

// folderOf: names on another machine have slashes, whatever this one has.
func folderOf(name string) string {
	if path.IsAbs(name) {
		return path.Dir(name)
	}
	return filepath.Dir(name)
}

// fileFact is the fact that a file is as it was.
const fileFact = "file"

// absent is its value where there is no file.
const absent = "absent"

func (f *facts) file() string {
	if f.Sum == "" {
		return absent
	}
	return "sha256:" + f.Sum
}

// Facts reads the one fact there is, "file": the SHA-256 of the file's bytes, or "absent".
func (d *Driver) Facts(_ context.Context, r *schema.Resource, names []string) (map[string]string, error) {
	out := map[string]string{}
	for _, name := range names {
		if name != fileFact {
			return nil, fmt.Errorf("reading fact %q: keystores have no such fact", name)
		}
		h, err := d.host(r)
		if err != nil {
			return nil, err
		}
		content, there, err := readFile(h.Files(), reveal(r, "path"))
		var unusable *Error
		switch {
		case errors.As(err, &unusable):
			out[name] = "unreadable"
			continue
		case err != nil:
			return nil, fmt.Errorf("reading %s on %s: %w", reveal(r, "path"), h.Name(), err)
		}
		f := &facts{}
		if there {
			f.Sum = host.Sum(content)
		}
		out[name] = f.file()
	}
	return out, nil
}

// Plan turns one change into steps.
func (d *Driver) Plan(c planner.Change) (planner.Outline, hcl.Diagnostics) {
	var f facts
	w, err := understand(c.Resource)
	if err == nil {
		err = json.Unmarshal([]byte(c.Actual.GetAttr("facts").AsString()), &f)
	}
	if err != nil {
		return planner.Outline{}, hcl.Diagnostics{problem(c.Resource, "Cannot plan", err.Error())}
	}
	return w.plan(&f), nil
}
