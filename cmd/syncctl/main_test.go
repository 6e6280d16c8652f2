package main

import (
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/syncctl/syncctl/cli/clitest"
)

func TestMain(m *testing.M) { clitest.Main(m, products...) }

func TestScripts(t *testing.T) {
	examples, err := filepath.Abs(filepath.Join("..", "..", "examples"))
	if err != nil {
		t.Fatal(err)
	}
	p := clitest.Scripts(filepath.Join("testdata", "script"), products...)
	setup := p.Setup
	p.Setup = func(e *testscript.Env) error {
		e.Setenv("EXAMPLES", examples)
		return setup(e)
	}
	testscript.Run(t, p)
}
