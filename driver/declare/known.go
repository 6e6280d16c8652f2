package declare

import (
	"fmt"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/driver/rest"
	"github.com/syncctl/syncctl/policy"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// maySend returns an error if the user's policy does not allow sending the secrets of a declaration, and of those that
// it refers to, to a host, which is HOST:PORT.
func maySend(env driver.Env, r *schema.Resource, address string) error {
	if env.Policy == nil {
		return nil
	}
	for _, s := range r.Sources() {
		err := env.Policy.Variable(address, s.Variable)
		if s.Environment != "" {
			err = env.Policy.EnvironmentAt(address, s.Environment)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// mayTrust returns an error if the user's policy does not allow a configuration to add the authorities in a text of
// PEM to those that a host's certificate may be signed by. address is HOST:PORT.
func mayTrust(env driver.Env, ca []byte, address string) error {
	if env.Policy == nil {
		return nil
	}
	all, err := rest.Authorities(ca)
	if err != nil {
		return err
	}
	for _, c := range all {
		if err := env.Policy.Authority(address, policy.Fingerprint(c.Raw)); err != nil {
			return err
		}
	}
	return nil
}

// UseKnown adds to used, which has what Use has added, the secrets that a declaration has for the hosts that it names,
// and how it says that these are known. It reads the files that say so.
func UseKnown(used *policy.Used, r *schema.Resource, env driver.Env) error {
	k := &knowing{used: used, env: env}
	for _, s := range r.Sources() {
		if s.Environment != "" {
			k.environment = append(k.environment, s.Environment)
		} else {
			k.variables = append(k.variables, s.Variable)
		}
	}
	value, _ := r.Value.UnmarkDeep()
	if err := k.look(value); err != nil {
		return fmt.Errorf("%s: %w", r.Addr, err)
	}
	return nil
}

type knowing struct {
	used                   *policy.Used
	env                    driver.Env
	variables, environment []string // of the declaration
}

func (k *knowing) look(v cty.Value) error {
	if v == cty.NilVal || v.IsNull() || !v.IsKnown() || !v.CanIterateElements() {
		return nil
	}
	if v.Type().IsObjectType() {
		server := Server{URL: Plain(text(v, "url"))}
		if h := k.used.Hosts[server.hostPort()]; h != nil {
			if err := k.server(h, v); err != nil {
				return err
			}
		}
		if err := k.machines(v); err != nil {
			return err
		}
	}
	for it := v.ElementIterator(); it.Next(); {
		_, elem := it.Element()
		if err := k.look(elem); err != nil {
			return err
		}
	}
	return nil
}

func (k *knowing) server(h *policy.UsedHost, v cty.Value) error {
	k.secrets(h)
	ca, err := Contents(k.env, []byte(text(v, "ca")), text(v, "ca_file"), "ca_file")
	if err != nil {
		return err
	}
	all, err := rest.Authorities(ca)
	for _, c := range all {
		h.CA = append(h.CA, policy.Fingerprint(c.Raw))
	}
	return err
}

func (k *knowing) secrets(h *policy.UsedHost) {
	h.Variables = append(h.Variables, k.variables...)
	h.Environment = append(h.Environment, k.environment...)
}

// machines adds the keys of the machines on the way to one, and the secrets for that.
func (k *knowing) machines(v cty.Value) error {
	addresses := machinesOf(v)
	if len(addresses) == 0 {
		return nil
	}
	lines, err := Contents(k.env, []byte(text(v, "known_hosts")), text(v, "known_hosts_file"), "known_hosts_file")
	if err != nil {
		return err
	}
	for i, address := range addresses {
		name, err := host.HostPort(address)
		if err != nil {
			continue // reported when the declaration is checked
		}
		h := k.used.Hosts[name]
		if i == 0 {
			k.secrets(h)
		}
		keys, err := host.Fingerprints(lines, text(v, "known_hosts_file"), name)
		if err != nil {
			return err
		}
		h.HostKeys = append(h.HostKeys, keys...)
	}
	return nil
}
