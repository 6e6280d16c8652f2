package encrypt

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/keystore"
	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// addTrust adds certificates to a trust store without a declaration, such as Java's cacerts.
var addTrust = driver.Verb[*Encryption]{
	Name: "trust", Execute: (*Encryption).addTrust, Verify: (*Encryption).verifyTrust,
}

// missing returns the declared certificates that a store does not trust.
func (s *Store) missing(declared []keystore.Trusted) []keystore.Trusted {
	return slices.DeleteFunc(slices.Clone(declared), func(t keystore.Trusted) bool {
		return s.Store == nil || s.Store.Trusts(t.Certificate)
	})
}

func (s *state) trustStep(path string, seen *Store) planner.Step {
	var what []string
	for _, t := range seen.missing(s.trust) {
		what = append(what, fmt.Sprintf("%q (%s)", t.Alias, t.Certificate))
	}
	return s.editStep(addTrust.Name, addTrust.Name+"_"+survey.Print(8, path), path, seen.Sum,
		fmt.Sprintf("in %s on %s trust %s", path, seen.Machine, strings.Join(what, ", ")),
		s.recipe.Page+": the certificate of a private CA, or a self-signed one, is added where Java looks for trusted "+
			"certificates")
}

func (e *Encryption) addTrust(ctx context.Context, t *executor.Task) (executor.Result, error) {
	x, err := e.trustEdit(ctx, t)
	if err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	return e.replace(ctx, t, x)
}

func (e *Encryption) verifyTrust(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	x, err := e.trustEdit(ctx, t)
	if err != nil {
		return executor.Verdict{}, executor.Final(err)
	}
	return e.verifyEdit(ctx, t, x)
}

// trustEdit returns the change that a step makes to its file.
func (e *Encryption) trustEdit(ctx context.Context, t *executor.Task) (*edit, error) {
	server, path := connect.Declared(t.Resource), t.Step.Args[argFile]
	release, _ := planned(t)
	r, _ := recipeFor(server, release)
	if !slices.Contains(storesOf(server, r, placesOf(server, release)), path) {
		return nil, fmt.Errorf("editing %s: %w", path, errNotDeclared)
	}
	password, declared := storePassword(server, path), trusted(server)
	return &edit{
		path: path,
		change: func(content []byte) ([]byte, error) {
			return keystore.AddTrust(ctx, content, password, declared, e.Env.Now(), e.Random)
		},
		left: func(content []byte) ([]string, error) {
			store, err := keystore.Open(ctx, content, password)
			if err != nil {
				return nil, err
			}
			var left []string
			for _, t := range (&Store{Store: store}).missing(declared) {
				left = append(left, fmt.Sprintf("%q is not trusted", t.Alias))
			}
			return left, nil
		},
	}, nil
}
