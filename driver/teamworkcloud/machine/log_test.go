package machine

import (
	"strings"
	"testing"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver/host"
)

// TestLoggedErrors checks that errors after an offset are counted. If the log was truncated, or has too much, the
// number is unknown.
func TestLoggedErrors(t *testing.T) {
	const before = "2024-05-01 10:00:00 ERROR old\n"
	const failed = "2024-05-01 10:00:01 ERROR it did not work\n"
	for name, c := range map[string]struct {
		after   string
		errors  int
		unknown bool
	}{
		"nothing new": {before, 0, false},
		"no error":    {before + "2024-05-01 10:00:01 INFO done\n", 0, false},
		"an error":    {before + failed, 1, false},
		"rotated":     {failed[:10], 0, true},
		"very much":   {before + failed + strings.Repeat("x", 1<<20), 1, true},
	} {
		fs := afero.NewMemMapFs()
		h := host.Local(host.LocalOptions{Fs: fs})
		m := DataManager{host: h, program: []string{"/dm/datamanager"}}
		if n, err := m.logSize(t.Context()); n != 0 || err != nil {
			t.Errorf("a log that is missing has %d bytes, %v", n, err)
		}
		write := func(text string) {
			t.Helper()
			if err := afero.WriteFile(fs, "/dm/logs/datamanager.log", []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		write(before)
		from, err := m.logSize(t.Context())
		if err != nil || from != int64(len(before)) {
			t.Fatal(from, err)
		}
		write(c.after)
		n, err := m.loggedErrors(t.Context(), from)
		if n != c.errors || c.unknown != (err != nil) {
			t.Errorf("%s: %d errors, %v", name, n, err)
		}
		if err := fs.Remove("/dm/logs/datamanager.log"); err != nil {
			t.Fatal(err)
		}
		if _, err := m.loggedErrors(t.Context(), from); err == nil {
			t.Errorf("%s: a log that is gone counts as one without errors", name)
		}
		h.Close()
	}
}
