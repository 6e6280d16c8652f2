package encrypt

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver/host"
)

// failingFs is a file system that fails every request for a file.
type failingFs struct {
	afero.Fs

	err error
}

func (f failingFs) Stat(name string) (os.FileInfo, error) {
	if f.err != nil {
		return nil, &os.PathError{Op: "stat", Path: name, Err: f.err}
	}
	return f.Fs.Stat(name)
}

// TestReadFile checks that what is wrong with a file is reported. A machine that cannot be asked is an error, never a
// missing file.
func TestReadFile(t *testing.T) {
	t.Parallel()
	lost := errors.New("connection lost")
	for name, c := range map[string]struct {
		file    string
		fault   error
		problem string
		err     error
	}{
		"read":           {file: "/etc/a.conf"},
		"missing":        {file: "/etc/b.conf", problem: "there is no such file"},
		"not allowed":    {file: "/etc/a.conf", fault: fs.ErrPermission, problem: "the login may not read it"},
		"a folder":       {file: "/etc", problem: errNotRegular.Error()},
		"not to be read": {file: "/etc/a.conf", fault: lost, err: lost},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mem := afero.NewMemMapFs()
			if err := afero.WriteFile(mem, "/etc/a.conf", []byte("a = 1"), 0o600); err != nil {
				t.Fatal(err)
			}
			h := host.Local(host.LocalOptions{Fs: failingFs{mem, c.fault}})
			f, content, err := readFile(t.Context(), h, c.file, mostSettings)
			if !errors.Is(err, c.err) || f.Problem != c.problem {
				t.Errorf("%+v, %v; want the problem %q, error %v", f, err, c.problem, c.err)
			}
			if whole := c.problem == "" && c.err == nil; (f.Sum != "") != whole || (len(content) > 0) != whole {
				t.Errorf("%+v, %d bytes", f, len(content))
			}
		})
	}
}

// TestPasswordIsNotObserved checks that an observation has the keystores with a password, but never the password.
func TestPasswordIsNotObserved(t *testing.T) {
	t.Parallel()
	passwords := map[string]string{"keystore.pkcs12.a": "geheim-a", "keystore.pkcs12.b": "geheim-b",
		"keystore.jks.c": "geheim-a"}
	f := settingsFile{path: "/web"}
	for text, want := range map[string]string{
		"twc.client.keystore.password=geheim-a":     "keystore.jks.c keystore.pkcs12.a",
		"twc.client.keystore.password=geheim-b":     "keystore.pkcs12.b",
		"twc.client.keystore.password=geheim-other": "",
		"twc.client.keystore.password=ENC(abc=)":    "",
		"":                                          "",
	} {
		said, _, _, err := f.parse([]byte(text), passwords)
		if err != nil {
			t.Fatal(err)
		}
		v := valueIn(said, keyPassword)
		if got := strings.Join(v.Keystores, " "); got != want || v.Sealed != strings.Contains(text,
			"ENC") || v.Set != (text != "") {
			t.Errorf("%q: %+v, want the keystores %q", text, v, want)
		}
		b, err := json.Marshal(Settings{Values: said})
		if err != nil || strings.Contains(string(b), "geheim") {
			t.Errorf("%q: the password shows, or %v: %s", text, err, b)
		}
	}
}

// TestSameOnBothEnds checks that passwords are compared as declared, else by the keystores with these passwords.
func TestSameOnBothEnds(t *testing.T) {
	t.Parallel()
	a := endValue{password: "one", keystores: []string{"keystore.pkcs12.a"}, known: true}
	for name, c := range map[string]struct {
		key  string
		a, b endValue
		want bool
	}{
		"both declared": {keyPassword, a, endValue{password: "one", keystores: []string{"keystore.pkcs12.b"}},
			true},
		"declared otherwise":      {keyPassword, a, endValue{password: "two"}, false},
		"read, of that keystore":  {keyPassword, a, endValue{keystores: []string{"keystore.pkcs12.a"}}, true},
		"read, of another":        {keyPassword, a, endValue{keystores: []string{"keystore.pkcs12.b"}}, false},
		"read, of no keystore":    {keyPassword, a, endValue{}, false},
		"case of a type":          {keyType, endValue{value: "PKCS12"}, endValue{value: "pkcs12"}, true},
		"case of a path":          {keyPath, endValue{value: "/a.p12"}, endValue{value: "/A.p12"}, false},
		"another path altogether": {keyPath, endValue{value: "/a.p12"}, endValue{value: "/b.p12"}, false},
	} {
		if got := c.a.same(c.b, c.key); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
