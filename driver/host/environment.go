package host

import "slices"

// plainNames lists the environment variables that programs commonly need and that hold no secret.
var plainNames = []string{
	"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "TERM", "NO_COLOR",
	"SystemRoot", "PATHEXT", "COMSPEC", "TEMP", "TMP", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA",
}

// PlainEnvironment returns the environment for a program that a configuration names, as "NAME=value": the variables
// that programs commonly need, and none of the user's secrets. It is never nil, which would mean this process's own
// environment.
func PlainEnvironment(lookup func(name string) (string, bool)) []string {
	out := []string{}
	for _, name := range plainNames {
		if value, set := lookup(name); set {
			out = append(out, name+"="+value)
		}
	}
	return out
}

// IsPlain reports whether PlainEnvironment includes a variable.
func IsPlain(name string) bool { return slices.Contains(plainNames, name) }
