package sandbox_test

import (
	"strings"
	"testing"

	"github.com/syncctl/syncctl/sandbox"
)

// settingWorld sets the variable that the seed says.
type settingWorld struct {
	*counterWorld

	variable string
	value    func(url string) string // of the server
}

func (w settingWorld) Environment(server string) map[string]string {
	return map[string]string{w.variable: w.value(w.counterWorld.Environment(server)[server+"_URL"])}
}

// TestVariablesOfSeeds checks that a seed may set variables for the configuration next to it, but none that a shell,
// a program or syncctl itself uses.
func TestVariablesOfSeeds(t *testing.T) {
	start := func(name string, value func(string) string) error {
		open := func(seed []byte) (sandbox.World, error) {
			w, err := openCounter("counter")(seed)
			if err != nil {
				return nil, err
			}
			return settingWorld{w.(*counterWorld), name, value}, nil
		}
		s, err := sandbox.Start(t.Context(), sandbox.Options{
			Seed: []byte(`{"counter": {"servers": ["a"]}}`), Products: map[string]sandbox.Open{"counter": open},
		})
		if err == nil {
			err = s.Close()
		}
		return err
	}
	text := func(text string) func(string) string { return func(string) string { return text } }
	evil := text("/tmp/evil")
	address := func(url string) string { return strings.TrimPrefix(url, "https://") }
	host := func(url string) string { host, _, _ := strings.Cut(address(url), ":"); return host }
	port := func(url string) string { _, port, _ := strings.Cut(address(url), ":"); return port }
	path := func(url string) string { return url + "/path" }
	ssh := func(url string) string { return "admin@" + address(url) }
	inPEM := text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
	known := text("[127.0.0.1]:22 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAMoMNpEmejrB+C7Ai2bKqu6erO9RPfBTx7hbTen/mS5\n")
	for name, value := range map[string]func(string) string{
		"SYNCCTL_VAR_x": evil, "SYNCCTL_VAR_ssh_key": evil, "north_password": evil, "NORTH_PASS": evil, "NORTH_TOKEN": evil,
		"NORTH_USER": evil, "JIRA_A_URL": path, "NORTH_HOST": host, "NORTH_PORT": port, "NORTH_ADDRESS": address,
		"NORTH_SSH": ssh, "NORTH_KNOWN_HOSTS": known, "KEY": inPEM, "ACME_CA": inPEM, "UNSET_URL": text(""),
	} {
		if err := start(name, value); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, value := range map[string]func(string) string{
		"PIP_INDEX_URL": text("https://192.0.2.1/"), "GIT_URL": text("ext::sh"), "AWS_ENDPOINT_URL": func(url string) string {
			return "https://" + address(url) + "@192.0.2.1/"
		}, "DOCKER_HOST": text("tcp://192.0.2.1"), "X_HOST": text("192.0.2.1"), "X_PORT": text("1"), "X_ADDRESS": evil,
		"X_SSH": func(url string) string { return "-oProxyCommand=x@" + address(url) }, "SSL_CERT": evil, "X_KEY": evil,
		"X_HOSTS": evil,
	} {
		if err := start(name, value); err == nil || !strings.Contains(err.Error(), "of the sandbox") {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{
		"PATH", "LD_PRELOAD", "BASH_ENV", "HOME", "ENV", "IFS", "TMPDIR", "GIT_SSH", "GIT_SSH_COMMAND", "SSH_ASKPASS",
		"SSH_AUTH_SOCK", "HTTPS_PROXY", "https_proxy", "USER", "SYNCCTL_LOG_PATH", "SYNCCTL_POLICY", "SYNCCTL_CONFIG_DIR",
		"SYNCCTL_SANDBOX_CA_FILE", "SYNCCTL_SITE", "SYNCCTL_VAR_", "SYNCCTL_API_URL", "CI", "NO_COLOR", "COLUMNS", "_",
		"A=B_URL", "A; touch x; B_URL", "$(x)_URL", "A\n_URL", "_URL", "1_URL", "Ä_URL",
	} {
		if err := start(name, evil); err == nil || !strings.Contains(err.Error(), "server a of counter: the variable") {
			t.Errorf("%q: %v", name, err)
		}
	}
}
