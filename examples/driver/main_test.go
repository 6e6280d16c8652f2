package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/syncctl/syncctl/cli/clitest"
)

// TestMain makes this test binary the program of main.go when it is called syncctl, as the scripts call it.
func TestMain(m *testing.M) { clitest.Main(m, product()) }

// TestExample runs example/script.txtar in a copy of the folder.
func TestExample(t *testing.T) {
	p := clitest.Scripts("example")
	setup := p.Setup
	p.Setup = func(e *testscript.Env) error {
		if err := os.CopyFS(filepath.Join(e.WorkDir, "example"), os.DirFS("example")); err != nil {
			return err
		}
		return setup(e)
	}
	testscript.Run(t, p)
}
