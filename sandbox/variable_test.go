package sandbox_test

import (
	"strings"
	"testing"

	"github.com/syncctl/syncctl/sandbox"
)

// settingWorld sets a variable, as the seed says.
type settingWorld struct {
	*counterWorld

	variable string
}

func (w settingWorld) Environment(string) map[string]string {
	return map[string]string{w.variable: "/tmp/evil"}
}

// TestVariablesOfSeeds: a seed sets what the configuration beside it reads, and nothing that a shell, a program or
// syncctl itself obeys.
func TestVariablesOfSeeds(t *testing.T) {
	start := func(name string) error {
		open := func(seed []byte) (sandbox.World, error) {
			w, err := openCounter("counter")(seed)
			if err != nil {
				return nil, err
			}
			return settingWorld{w.(*counterWorld), name}, nil
		}
		s, err := sandbox.Start(t.Context(), sandbox.Options{
			Seed: []byte(`{"counter": {"servers": ["a"]}}`), Products: map[string]sandbox.Open{"counter": open},
		})
		if err == nil {
			err = s.Close()
		}
		return err
	}
	for _, name := range []string{
		"SYNCCTL_VAR_x", "SYNCCTL_VAR_ssh_key", "JIRA_A_URL", "NORTH_KNOWN_HOSTS", "north_password", "KEY", "ACME_CA",
	} {
		if err := start(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{
		"PATH", "LD_PRELOAD", "BASH_ENV", "HOME", "ENV", "IFS", "TMPDIR", "GIT_SSH", "GIT_SSH_COMMAND", "SSH_ASKPASS",
		"SSH_AUTH_SOCK", "HTTPS_PROXY", "https_proxy", "USER", "SYNCCTL_LOG_PATH", "SYNCCTL_POLICY", "SYNCCTL_CONFIG_DIR",
		"SYNCCTL_SANDBOX_CA_FILE", "SYNCCTL_SITE", "SYNCCTL_VAR_", "SYNCCTL_API_URL", "CI", "NO_COLOR", "COLUMNS", "_",
		"A=B_URL", "A; touch x; B_URL", "$(x)_URL", "A\n_URL", "_URL", "1_URL", "Ä_URL",
	} {
		if err := start(name); err == nil || !strings.Contains(err.Error(), "server a of counter: the variable") {
			t.Errorf("%q: %v", name, err)
		}
	}
}
