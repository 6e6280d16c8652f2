package declare

import (
	"net"
	"path/filepath"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/policy"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// Use adds to used what a declaration uses: the servers and machines that its arguments name, and the keys to log in
// there. Relative names start at the folder dir; home is the folder that ~ stands for.
func Use(used *policy.Used, r *schema.Resource, dir, home string) {
	value, _ := r.Value.UnmarkDeep()
	(&user{used: used, dir: dir, home: home}).look(value)
}

type user struct {
	used      *policy.Used
	dir, home string
}

// look adds what an object and its elements use. The names of these arguments mean the same in every driver: see
// Server and Host.
func (u *user) look(v cty.Value) {
	if v == cty.NilVal || v.IsNull() || !v.IsKnown() || !v.CanIterateElements() {
		return
	}
	if v.Type().IsObjectType() {
		server := Server{URL: Plain(text(v, "url"))}
		for _, address := range []string{server.hostPort(), text(v, "sync_address")} {
			if name, port, err := net.SplitHostPort(address); err == nil && name != "" {
				u.host(net.JoinHostPort(name, port))
			}
		}
		u.machine(v)
		for _, name := range []string{"ca_file", "known_hosts_file"} {
			if file := text(v, name); file != "" {
				u.used.Files = append(u.used.Files, u.path(file))
			}
		}
		if schema.Get(v, "local").RawEquals(cty.True) {
			u.used.Commands = append(u.used.Commands, []string{"*"})
		}
	}
	for it := v.ElementIterator(); it.Next(); {
		_, elem := it.Element()
		u.look(elem)
	}
}

// machinesOf returns the machines of a block with HostAttributes: the target first, then those on the way to it. It
// returns none if v is not such a block.
func machinesOf(v cty.Value) []string {
	if text(v, "ssh") == "" {
		return nil
	}
	addresses := []string{text(v, "ssh")}
	if jumps := schema.Get(v, "jump"); jumps.IsKnown() && !jumps.IsNull() {
		for it := jumps.ElementIterator(); it.Next(); {
			_, jump := it.Element()
			addresses = append(addresses, schema.Text(jump))
		}
	}
	return addresses
}

// machine adds what a block with HostAttributes uses.
func (u *user) machine(v cty.Value) {
	for i, address := range machinesOf(v) {
		name, err := host.HostPort(address)
		if err != nil {
			continue // reported when the declaration is checked
		}
		h := u.host(name)
		h.SSHAgent = h.SSHAgent || schema.Get(v, "agent").RawEquals(cty.True)
		if i == 0 {
			h.Commands = [][]string{{"*"}}
		}
		if file := text(v, "key_file"); file != "" {
			h.SSHKeys = append(h.SSHKeys, u.path(file))
		}
	}
}

// UseReach adds to used what a driver reports about a declaration.
func UseReach(used *policy.Used, reach driver.Reach, dir string) {
	u := &user{used: used, dir: dir}
	for _, f := range reach.Files {
		if f.Machine == "" {
			used.Files = append(used.Files, u.path(f.Path))
			continue
		}
		if name, err := host.HostPort(f.Machine); err == nil { // otherwise reported when the declaration is checked
			h := u.host(name)
			h.Files = append(h.Files, f.Path)
		}
	}
	for _, address := range reach.Addresses {
		u.host(address)
	}
}

// host returns what is used of a host. It adds the host if it is new.
func (u *user) host(address string) *policy.UsedHost {
	if u.used.Hosts == nil {
		u.used.Hosts = map[string]*policy.UsedHost{}
	}
	h := u.used.Hosts[address]
	if h == nil {
		h = &policy.UsedHost{}
		u.used.Hosts[address] = h
	}
	return h
}

func (u *user) path(file string) string {
	if rest, ok := cutHome(file); ok {
		return filepath.Join(u.home, rest)
	}
	if filepath.IsAbs(file) {
		return filepath.Clean(file)
	}
	return filepath.Join(u.dir, file)
}

// cutHome removes ~ from the start of a name, if it is the whole name or followed by a slash.
func cutHome(file string) (string, bool) {
	file = filepath.ToSlash(file)
	if file == "~" || len(file) > 1 && file[:2] == "~/" {
		return file[1:], true
	}
	return "", false
}

// text returns an attribute that is a known text, or "".
func text(v cty.Value, name string) string {
	v = schema.Get(v, name)
	if v.IsNull() || !v.IsKnown() || v.Type() != cty.String {
		return ""
	}
	return v.AsString()
}
