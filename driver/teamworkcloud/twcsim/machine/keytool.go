package machine

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/keystore"
)

// keytool is Java's own, as far as the pages use it: -importcert, called -import on older pages. Each Java has one,
// and -cacerts means the trust store of the Java whose keytool was called. Messages are those of OpenJDK.
//
// ASSUMED: the caller owns the files. It never asks, so without -noprompt nothing is added.
func keytool(sh *Shell, _ bool, args []string) int {
	fail := func(format string, values ...any) int {
		fmt.Fprintf(&sh.Out, "keytool error: "+format+"\n", values...)
		return 1
	}
	if at := args[0]; path.Base(at) != at {
		if ok, err := afero.Exists(sh.M.FS, sh.abs(at)); err != nil || !ok {
			fmt.Fprintf(&sh.Errs, "sh: 1: %s: not found\n", at)
			return 127
		}
	}
	k, wrong := sh.readKeytool(args)
	if wrong != "" {
		return fail("java.lang.Exception: %s", wrong)
	}
	data, err := sh.M.Read(sh.abs(k.file))
	if err != nil {
		return fail("java.io.FileNotFoundException: %s (No such file or directory)", k.file)
	}
	c, err := keystore.FirstInPEM(data)
	if err != nil {
		return fail("java.lang.Exception: Input not an X.509 certificate")
	}
	if !k.noprompt {
		return fail("java.lang.Exception: Certificate was not added to keystore")
	}
	name := sh.abs(k.keystore)
	var old []byte
	if there, _ := afero.Exists(sh.M.FS, name); there {
		if old, err = sh.M.Read(name); err != nil {
			return fail("java.io.IOException: %v", err)
		}
	} else if old, err = keystore.Empty(k.password); err != nil {
		return fail("java.io.IOException: %v", err)
	}
	changed, err := keystore.WithTrusted(old, k.password, k.alias, c, false, sh.W.Now)
	switch {
	case errors.Is(err, keystore.ErrTaken):
		return fail("java.lang.Exception: Certificate not imported, alias <%s> already exists", k.alias)
	case err != nil:
		return fail("java.io.IOException: %v", err)
	}
	if err := sh.M.Write(name, changed); err != nil {
		return fail("java.io.IOException: %v", err)
	}
	fmt.Fprintln(&sh.Errs, "Certificate was added to keystore")
	return 0
}

// keytoolCall is what to import, and into which keystore.
type keytoolCall struct {
	alias, file, keystore, password string
	noprompt                        bool
}

func (sh *Shell) readKeytool(args []string) (k keytoolCall, wrong string) {
	if len(args) < 2 || !slices.Contains([]string{"-importcert", "-import"}, args[1]) {
		return k, "only -importcert is here"
	}
	into := map[string]*string{"-alias": &k.alias, "-file": &k.file, "-keystore": &k.keystore, "-storepass": &k.password}
	own := false
	for rest := args[2:]; len(rest) > 0; rest = rest[1:] {
		switch value := into[rest[0]]; {
		case rest[0] == "-noprompt":
			k.noprompt = true
		case rest[0] == "-cacerts":
			own = true
		case rest[0] == "-trustcacerts": // it only affects questions
		case value == nil:
			return k, fmt.Sprintf("Illegal option:  %s", rest[0])
		case len(rest) == 1:
			return k, fmt.Sprintf("Command option %s needs an argument", rest[0])
		default:
			*value = rest[1]
			rest = rest[1:]
		}
	}
	switch at := sh.abs(args[0]); {
	case own && k.keystore != "":
		return k, "-cacerts cannot be used with -keystore"
	case own && at == sh.M.At.ServerKeytool:
		k.keystore = sh.M.At.ServerTrust
	case own && at == sh.M.At.PagesTool:
		k.keystore = sh.M.At.PagesTrust
	case own: // ASSUMED: keytool on the path belongs to another Java or none, so a person calls it by its path
		return k, "-cacerts: which Java is meant shows only where it is called by its path"
	}
	switch {
	case k.alias == "" || k.file == "" || k.keystore == "":
		return k, "-alias, -file and -keystore or -cacerts are needed"
	case len(k.password) < 6:
		return k, "Keystore password must be at least 6 characters"
	}
	k.alias = strings.ToLower(k.alias)
	return k, ""
}
