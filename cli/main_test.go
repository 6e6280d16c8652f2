package cli_test

import (
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/syncctl/syncctl/cli/clitest"
)

func TestMain(m *testing.M) { clitest.Main(m, depot) }

func TestScripts(t *testing.T) {
	testscript.Run(t, clitest.Scripts(filepath.Join("testdata", "script"), depot))
}
