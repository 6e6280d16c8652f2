package host

import "slices"

// plainNames are the environment variables that programs need to find their way, and that hold no secret.
var plainNames = []string{
	"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "TERM", "NO_COLOR",
	"SystemRoot", "PATHEXT", "COMSPEC", "TEMP", "TMP", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA",
}

// PlainEnvironment is the environment of a program that a configuration names, "NAME=value": what every program needs,
// and none of the user's secrets. It is never nil, which would mean this process's own.
func PlainEnvironment(lookup func(name string) (string, bool)) []string {
	out := []string{}
	for _, name := range plainNames {
		if value, set := lookup(name); set {
			out = append(out, name+"="+value)
		}
	}
	return out
}

// IsPlain tells whether PlainEnvironment has a variable.
func IsPlain(name string) bool { return slices.Contains(plainNames, name) }
