package sandbox

import (
	"strings"
	"testing"
)

func TestRedactCommand(t *testing.T) {
	for line, want := range map[string]string{
		"":                               "",
		"systemctl stop twelve":          "systemctl stop twelve",
		"tool --password hush -x":        "tool --password REDACTED -x",
		"tool --password=hush --list":    "tool --password=REDACTED --list",
		"tool --password -x":             "tool --password -x",
		"tool --password='a b'\\''c' d":  "tool --password=REDACTED d",
		`tool "--api-key=a b" 'x y'`:     `tool "--api-key=REDACTED" 'x y'`,
		`tool --token "a \" b" x`:        `tool --token REDACTED x`,
		"DB_PASSWORD=hush run --pid=7":   "DB_PASSWORD=REDACTED run --pid=7",
		"sh -c 'tool --secret hush; ls'": "sh -c 'tool --secret REDACTED ls'",
		`sh -c "A_TOKEN=hush tool"`:      `sh -c "A_TOKEN=REDACTED"`,
		"tool --author=me -authorise":    "tool --author=me -authorise",
		"get https://me:hush@host/x a@b": "get https://me:REDACTED@host/x a@b",
		"tool 'open --password hush":     "tool 'open --password REDACTED",
		`"-a=b c" --token`:               `"-a=b c" --token`,
	} {
		if got := redactCommand(line); got != want {
			t.Errorf("%s: got %s, want %s", line, got, want)
		}
	}
}

func FuzzRedactCommand(f *testing.F) {
	f.Add("sh -c 'tool --secret ", "x")
	f.Add(`"`, `' --b="`)
	f.Fuzz(func(t *testing.T, before, after string) {
		redactCommand(before + after)
		// What stands as words of their own before it changes nothing about an option's value.
		if strings.ContainsAny(before, "\"'\\-") {
			return
		}
		if got := redactCommand(before + " --password hush4711 " + after); strings.Contains(got, "hush4711") &&
			!strings.Contains(before+after, "hush4711") {
			t.Errorf("%q shows the password", got)
		}
	})
}
