package teamworkcloud

import (
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/driver/declare"
	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/encrypt"
	"github.com/syncctl/syncctl/lazyregexp"
	"github.com/syncctl/syncctl/schema"
)

// cannotPlan returns the error that a declaration cannot be planned, and why.
func cannotPlan(r *schema.Resource, err error) hcl.Diagnostics {
	return hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Cannot plan", Detail: err.Error(), Subject: r.RangeOf()}}
}

// checkServer checks the rules of a server that do not depend on its state.
func checkServer(s *connect.Server) hcl.Diagnostics {
	diags := s.Check()
	diags = append(diags, checkShown(s, "url")...)
	diags = append(diags, checkShown(s, "user")...)
	if strings.HasSuffix(strings.TrimRight(s.URL.Reveal(), "/"), "/osmc") {
		diags = append(diags, s.Problem("Invalid base URL", "Leave /osmc out: it is added.", "url"))
	}
	if s.Known("web_application") {
		diags = append(diags, declare.CheckURL(s.Block, declare.Plain(s.WebApplication), "web_application")...)
	}
	if s.Known("expect", "major") && !majorForm.MatchString(s.Expect.Major) {
		diags = append(diags, s.Problem("Invalid major version",
			fmt.Sprintf("%q is not a major version: write a year with an x, such as 2024x. Refreshes and hot fixes are "+
				"minor.", s.Expect.Major),
			"expect", "major"))
	}
	diags = append(diags, checkSyncAddress(s)...)
	if s.Host != nil {
		diags = append(diags, checkHost(s.Host)...)
	}
	if s.SyncTLS != nil {
		diags = append(diags, encrypt.Check(s)...)
	}
	return diags
}

// checkShown refuses a sensitive value for something that plans and steps for people show.
func checkShown(s *connect.Server, name string) hcl.Diagnostics {
	if !s.Hidden(name) {
		return nil
	}
	return hcl.Diagnostics{s.Problem("Sensitive value where a plain one is needed",
		name+" is shown in plans and entered on web pages, so it cannot be sensitive.", name)}
}

var majorForm = lazyregexp.New(`^20[0-9]{2}x$`)

func checkSyncAddress(s *connect.Server) hcl.Diagnostics {
	if !s.Known("sync_address") {
		return nil
	}
	host, port := connect.SplitPort(s.SyncAddress)
	n, err := strconv.Atoi(port)
	switch {
	case strings.ContainsAny(s.SyncAddress, "/@ ?#") || host == "":
		return hcl.Diagnostics{s.Problem("Invalid address for synchronization",
			fmt.Sprintf("%q: write HOST or HOST:PORT, without a scheme, a path or a user.", s.SyncAddress), "sync_address")}
	case port != "" && (err != nil || n < 1 || n > 65535):
		return hcl.Diagnostics{s.Problem("Invalid port", fmt.Sprintf("%q: %q is not the number of a port.",
			s.SyncAddress, port), "sync_address")}
	}
	return nil
}

func checkHost(h *connect.Host) hcl.Diagnostics {
	diags := h.Check()
	switch {
	case h.Local && h.Has("ssh"):
		diags = append(diags, h.Problem("Two ways to one machine", "Give either ssh or local = true.", "local"))
	case !h.Local && !h.Has("ssh") && (h.Known("local") || !h.Has("local")):
		diags = append(diags, h.Missing("No way to the machine",
			"Give ssh = \"user@host\", or local = true; without the block host, work on the machine is a person's step.",
			nil, []string{"ssh"}, []string{"local"}))
	}
	diags = append(diags, checkCommands(h, "datamanager", h.DataManager)...)
	diags = append(diags, checkCommands(h, "stop", h.Stop...)...)
	diags = append(diags, checkCommands(h, "start", h.Start...)...)
	diags = append(diags, checkCommands(h, "status", h.Status)...)
	diags = append(diags, checkCommands(h, "database", h.Database)...)
	diags = append(diags, checkAbsolute(h, "home", h.Home)...)
	diags = append(diags, checkAbsolute(h, "application_conf", h.ApplicationConf)...)
	return append(diags, checkAbsolute(h, "webappplatform_properties", h.WebAppProperties)...)
}

func checkAbsolute(h *connect.Host, name, file string) hcl.Diagnostics {
	if !h.Known(name) || path.IsAbs(file) {
		return nil
	}
	return hcl.Diagnostics{h.Problem("Path is not absolute",
		fmt.Sprintf("%q: give %s in full, such as /opt/CATIANoMagicServices.", file, name), name)}
}

// checkCommands reports an argument without a command, or with an empty one.
func checkCommands(h *connect.Host, name string, commands ...[]string) hcl.Diagnostics {
	if !h.Known(name) {
		return nil
	}
	empty := len(commands) == 0
	for _, words := range commands {
		empty = empty || len(words) == 0 || words[0] == ""
	}
	if !empty {
		return nil
	}
	return hcl.Diagnostics{h.Problem("No command", fmt.Sprintf("%s must name a program; leave it out for the "+
		"vendor's.", name), name)}
}
