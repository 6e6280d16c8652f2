package teamworkcloud

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/driver/keystore"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// executeServer carries out what is done over REST and at the machine.
func (d *Driver) executeServer(ctx context.Context, t *executor.Task) (executor.Result, error) {
	op := t.Step.Op
	switch {
	case op == opEncryptedPort:
		return d.openPort(ctx, t)
	case strings.HasPrefix(op, opSettings), strings.HasPrefix(op, opTrust):
		return d.editFile(ctx, t)
	}
	return executor.Result{}, executor.NotSent(fmt.Errorf("carrying out %s: a server has no such step", t.Step.ID))
}

// declaredRecipe is the recipe that a step was planned by.
func declaredRecipe(t *executor.Task) (recipe, osmc.Release) {
	release, _ := osmc.ParseRelease(t.Step.Args[argRelease])
	r, _ := recipeFor(t.Resource, release)
	return r, release
}

// openPort gives the server its keystore as it lies in its file, and opens the port (PUT /osmc/admin/tls).
func (d *Driver) openPort(ctx context.Context, t *executor.Task) (executor.Result, error) {
	server, decl := t.Resource, keystoreOf(t.Resource)
	store, content, err := keystore.ReadFile(ctx, d.env, decl)
	if err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	if why := unfitKeystore(store); why != "" {
		return executor.Result{}, executor.NotSent(fmt.Errorf("%s: %s", decl.Addr, why))
	}
	w, err := d.writer(server)
	if err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	name, _ := keystore.Location(decl)
	state := osmc.ClientTLS{Enabled: true, Port: atLeast(t.Step.Args[argPort]), Keystore: content, KeystoreName: path.Base(strings.ReplaceAll(name, `\`, "/"))}
	if err := w.SetClientTLS(ctx, state, keystore.Password(decl).Reveal()); err != nil {
		return executor.Result{}, driver.Sent(fmt.Errorf("opening the encrypted port of %s: %w", server.Addr, err))
	}
	return executor.Result{}, nil
}

// unfitKeystore says why a keystore cannot stand for a server, "" if it can.
func unfitKeystore(s *keystore.Store) string {
	switch n := len(s.Entries); {
	case n == 0:
		return "it has no key, so there is nothing to present"
	case s.Entries[0].Sealed:
		return fmt.Sprintf("the password of the keystore does not open the key of %s", &s.Entries[0])
	}
	return ""
}

// editing is one file of a server's machine that a step changes.
type editing struct {
	path string
	edit func(content []byte) ([]byte, error)
	left func(content []byte) ([]string, error) // what of it is not as declared, in words
}

var errNotOurs = errors.New("the file is none that the declaration is about any more")

// editOf finds out what a step does to its file. It knows secrets.
func (d *Driver) editOf(t *executor.Task) (*editing, error) {
	r, release := declaredRecipe(t)
	name := t.Step.Args[argFile]
	for _, f := range settingsOf(t.Resource, r, release, atLeast(t.Step.Args[argPort])) {
		if f.path == name && strings.HasPrefix(t.Step.Op, opSettings) {
			return f.editing(), nil
		}
	}
	for _, s := range storesOf(t.Resource, r, filesOf(t.Resource, release)) {
		if s.path == name && strings.HasPrefix(t.Step.Op, opTrust) {
			return d.trusting(t.Resource, s), nil
		}
	}
	return nil, errNotOurs
}

func (f *settingsFile) editing() *editing {
	return &editing{
		path: f.path,
		edit: func(content []byte) ([]byte, error) {
			out, _, err := f.edit(content)
			return out, err
		},
		left: func(content []byte) ([]string, error) {
			_, facts, err := f.edit(content)
			var left []string
			for _, v := range facts {
				if !v.Same {
					left = append(left, v.stands())
				}
			}
			return left, err
		},
	}
}

func (d *Driver) trusting(server *schema.Resource, s trustStore) *editing {
	return &editing{
		path: s.path,
		edit: func(content []byte) ([]byte, error) {
			return keystore.AddTrust(content, s.password, trusted(server), d.env.Now(), d.random)
		},
		left: func(content []byte) ([]string, error) {
			store, err := keystore.Open(content, s.password)
			if err != nil {
				return nil, err
			}
			var left []string
			for _, t := range trusted(server) {
				if !store.Trusts(t.Certificate) {
					left = append(left, fmt.Sprintf("%q is not trusted", t.Alias))
				}
			}
			return left, nil
		},
	}
}

// editFile gives a file its new content, whole or not at all, and keeps the old one beside it.
func (d *Driver) editFile(ctx context.Context, t *executor.Task) (executor.Result, error) {
	var out executor.Result
	fail := func(err error) (executor.Result, error) {
		return out, executor.NotSent(fmt.Errorf("editing %s: %w", t.Step.Args[argFile], err))
	}
	e, err := d.editOf(t)
	if err != nil {
		return fail(err)
	}
	h, err := d.machine(t.Resource)
	if err != nil || h == nil {
		return fail(errors.Join(err, errors.New("its machine is not declared any more")))
	}
	content, _, err := readWhole(h.Files(ctx), e.path, mostStore)
	if err != nil {
		return fail(err)
	}
	was := host.Sum(content)
	if planned := plannedFact(&t.Step, argFactFile+e.path); planned != "sha256:"+was {
		return fail(fmt.Errorf("%w: it is not what the plan was made from", host.ErrChanged))
	}
	edited, err := e.edit(content)
	if err != nil {
		return fail(err)
	}
	if left, err := e.left(edited); err != nil || len(left) > 0 { // nothing that is not what was asked for takes the file's place
		return fail(errors.Join(err, fmt.Errorf("what would be written is not what is declared: %s", strings.Join(left, ", "))))
	}
	done, err := host.Replace(ctx, h.Files(ctx), host.Replacement{Name: e.path, Content: edited, Was: was, Now: d.env.Now(), Random: d.random})
	switch {
	case err != nil && !done.Maybe:
		return fail(err)
	case err != nil:
		return out, fmt.Errorf("editing %s: %w", e.path, err)
	}
	out.Note, out.Outputs = "what was there is in "+done.Backup, map[string]string{"backup": done.Backup}
	return out, nil
}

func plannedFact(s *planner.Step, name string) string {
	if i := slices.IndexFunc(s.Facts, func(f planner.Fact) bool { return f.Name == name }); i >= 0 {
		return s.Facts[i].Value
	}
	return ""
}
