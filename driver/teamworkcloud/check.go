package teamworkcloud

import (
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// problem is a mistake in the files.
func problem(r *schema.Resource, summary, detail string, path ...string) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: detail, Subject: r.RangeOf(path...)}
}

func has(r *schema.Resource, path ...string) bool { return !r.Get(path...).IsNull() }

func checkServer(r *schema.Resource) hcl.Diagnostics {
	var diags hcl.Diagnostics
	switch {
	case has(r, "password") && has(r, "token"):
		diags = append(diags, problem(r, "Two secrets for one server", "Give either password or token, not both.", "token"))
	case !has(r, "password") && !has(r, "token"):
		diags = append(diags, problem(r, "No secret for the server", "Give user and password, or a token: the REST interface knows no anonymous user."))
	case has(r, "password") && !has(r, "user"):
		diags = append(diags, problem(r, "A password without a user", "Add user, or give a token.", "password"))
	}
	if n := r.Get("requests_per_second"); known(n) && n.LessThanOrEqualTo(cty.Zero).True() {
		diags = append(diags, problem(r, "No requests allowed", "requests_per_second must be above zero.", "requests_per_second"))
	}
	if v := r.Get("expect", "major"); known(v) && !majorForm.MatchString(v.AsString()) {
		diags = append(diags, problem(r, "Not a major version", fmt.Sprintf("%q is no major version: it is a year with an x, such as 2024x. Refreshes and hot fixes are minor.", v.AsString()), "expect", "major"))
	}
	diags = append(diags, checkURL(r, "url")...)
	diags = append(diags, checkURL(r, "web_application")...)
	diags = append(diags, checkSyncAddress(r)...)
	diags = append(diags, checkDuration(r, "request_timeout")...)
	if has(r, "host") {
		diags = append(diags, checkHost(r)...)
	}
	if encrypts(r) {
		diags = append(diags, checkEncryption(r)...)
	}
	return diags
}

var majorForm = regexp.MustCompile(`^20[0-9]{2}x$`)

func checkURL(r *schema.Resource, name string) hcl.Diagnostics {
	v := r.Get(name)
	if !known(v) {
		return nil
	}
	u, err := url.Parse(v.AsString())
	why := ""
	switch {
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "":
		why = "write https://HOST:PORT"
	case u.User != nil:
		why = "credentials do not belong into it: give user, and password or token"
	case u.RawQuery != "" || u.Fragment != "":
		why = "nothing may follow the path"
	case name == "url" && strings.HasSuffix(strings.TrimRight(u.Path, "/"), "/osmc"):
		why = "leave /osmc out: it is added"
	}
	if why == "" {
		return nil
	}
	shown := strconv.Quote(v.AsString())
	if err == nil && u.User != nil {
		shown = "What is written"
	}
	return hcl.Diagnostics{problem(r, "Not the address of a server", fmt.Sprintf("%s is no address of a server: %s.", shown, why), name)}
}

func checkSyncAddress(r *schema.Resource) hcl.Diagnostics {
	v := r.Get("sync_address")
	if !known(v) {
		return nil
	}
	text := v.AsString()
	host, port := splitPort(text)
	n, err := strconv.Atoi(port)
	switch {
	case strings.ContainsAny(text, "/@ ?#") || host == "":
		return hcl.Diagnostics{problem(r, "Not an address for synchronization", fmt.Sprintf("%q: write HOST or HOST:PORT, without a scheme, a path or a user.", text), "sync_address")}
	case port != "" && (err != nil || n < 1 || n > 65535):
		return hcl.Diagnostics{problem(r, "Not a port", fmt.Sprintf("%q: %q is no number of a port.", text, port), "sync_address")}
	}
	return nil
}

func checkHost(r *schema.Resource) hcl.Diagnostics {
	var diags hcl.Diagnostics
	local := isTrue(r, "host", "local")
	switch {
	case local && has(r, "host", "ssh"):
		diags = append(diags, problem(r, "Two ways to one machine", "Give either ssh or local = true.", "host", "local"))
	case !local && !has(r, "host", "ssh") && (known(r.Get("host", "local")) || !has(r, "host", "local")):
		diags = append(diags, problem(r, "No way to the machine", "Give ssh = \"user@host\", or local = true; without the block host, work on the machine is a person's step.", "host"))
	}
	if v := r.Get("host", "ssh"); known(v) {
		diags = append(diags, checkLogin(r, v.AsString(), "host", "ssh")...)
	}
	for i, text := range texts(r.Get("host", "jump")) {
		diags = append(diags, checkLogin(r, text, "host", "jump", strconv.Itoa(i))...)
	}
	if has(r, "host", "passphrase") && !has(r, "host", "key") && !has(r, "host", "key_file") {
		diags = append(diags, problem(r, "A passphrase without a key", "passphrase belongs to key or key_file.", "host", "passphrase"))
	}
	for _, name := range commandLists {
		diags = append(diags, checkCommands(r, name)...)
	}
	for _, name := range []string{"home", "application_conf", "webappplatform_properties"} {
		if v := r.Get("host", name); known(v) && !path.IsAbs(v.AsString()) {
			diags = append(diags, problem(r, "Where on the machine?", fmt.Sprintf("%q: %s is a whole name, such as /opt/CATIANoMagicServices.", v.AsString(), name), "host", name))
		}
	}
	return append(diags, checkDuration(r, "host", "within")...)
}

func checkLogin(r *schema.Resource, text string, path ...string) hcl.Diagnostics {
	user, host, ok := strings.Cut(text, "@")
	if ok && user != "" && host != "" && !strings.ContainsAny(text, " /") && !strings.Contains(user, ":") {
		return nil
	}
	if strings.Contains(user, ":") {
		return hcl.Diagnostics{problem(r, "A password in an address", "Passwords are not used for logging in over SSH: give user@host, and a key.", path...)}
	}
	return hcl.Diagnostics{problem(r, "Not a login", fmt.Sprintf("%q: write user@host or user@host:port.", text), path...)}
}

// checkCommands: everybody on a machine sees the command lines of its processes, so no secret may stand there.
func checkCommands(r *schema.Resource, name string) hcl.Diagnostics {
	v := r.Get("host", name)
	if schema.IsSensitive(v) {
		return hcl.Diagnostics{problem(r, "A secret on a command line", fmt.Sprintf("%s holds a sensitive value. Everybody on the machine could read it there; leave it to the command to find it.", name), "host", name)}
	}
	if !known(v) {
		return nil
	}
	empty := v.LengthInt() == 0
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		switch {
		case !known(e):
		case e.Type() == cty.String:
			empty = empty || e.AsString() == ""
		default:
			words := texts(e)
			empty = empty || len(words) == 0 || words[0] == ""
		}
	}
	if empty {
		return hcl.Diagnostics{problem(r, "No command", fmt.Sprintf("%s must name a program; leave it out for the vendor's.", name), "host", name)}
	}
	return nil
}

func checkDuration(r *schema.Resource, path ...string) hcl.Diagnostics {
	v := r.Get(path...)
	if !known(v) {
		return nil
	}
	d, err := time.ParseDuration(v.AsString())
	if err == nil && d > 0 {
		return nil
	}
	return hcl.Diagnostics{problem(r, "Not a duration", fmt.Sprintf("%q is no time: write a number with a unit, such as 90s, 15m, 2h.", v.AsString()), path...)}
}
