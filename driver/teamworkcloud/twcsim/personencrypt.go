package twcsim

import (
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// configureEncryption is a person at a machine who sets what encrypts synchronization. What is set already is left as it is, so that
// doing it twice does no harm. A password that nobody has written down is typed in encrypted.
func (w *World) configureEncryption(s *server, v map[string]string) (string, error) {
	restart, err := truth(v, "restart", false)
	if err != nil {
		return "", err
	}
	m := s.desk
	if err := setProperties(m, v["properties"]); err != nil {
		return "", err
	}
	if err := appendLines(m, v["appended"]); err != nil {
		return "", err
	}
	if err := w.trustByHand(s, v["trust"]); err != nil {
		return "", err
	}
	if !restart {
		return "set the encryption of " + s.name, nil
	}
	for _, unit := range []string{unitPages, unitServer} {
		s.stopUnit(unit)
	}
	for _, unit := range []string{unitServer, unitPages} {
		if err := s.startUnit(unit, w.now); err != nil {
			return "", fmt.Errorf("starting %s: %w", unit, err)
		}
	}
	return "set the encryption of " + s.name + " and started its services again", nil
}

// setProperties puts lines into the web application's settings, in place of those with the same key.
func setProperties(m *machine, lines string) error {
	if lines == "" {
		return nil
	}
	content, err := m.read(m.at.pages)
	if err != nil {
		return err
	}
	text := string(content)
	if !strings.Contains(lines, setPassword) {
		lines += "\n" + setPassword + "=" + typedByAPerson
	}
	for line := range strings.Lines(lines) {
		line = strings.TrimSpace(line)
		key, _, ok := strings.Cut(line, "=")
		if !ok {
			return fmt.Errorf("properties: %q is no key=value", line)
		}
		set := regexp.MustCompile(`(?m)^[ \t]*` + regexp.QuoteMeta(key) + `[ \t]*[=:].*$`)
		if set.MatchString(text) {
			text = set.ReplaceAllLiteralString(text, line)
			continue
		}
		text = strings.TrimRight(text, "\n") + "\n" + line + "\n"
	}
	return m.write(m.at.pages, []byte(text))
}

func appendLines(m *machine, lines string) error {
	if lines == "" {
		return nil
	}
	content, err := m.read(m.at.conf)
	if err != nil {
		return err
	}
	text := string(content)
	for line := range strings.Lines(lines) {
		if line = strings.TrimSpace(line); !slices.Contains(strings.Split(text, "\n"), line) {
			text = strings.TrimRight(text, "\n") + "\n" + line + "\n"
		}
	}
	return m.write(m.at.conf, []byte(text))
}

// trustByHand imports certificates wherever the pages have them imported: "alias NAME", then the certificate, one after the other.
func (w *World) trustByHand(s *server, text string) error {
	for rest := []byte(text); len(strings.TrimSpace(string(rest))) > 0; {
		head, _, _ := strings.Cut(strings.TrimSpace(string(rest)), "\n")
		alias, _ := strings.CutPrefix(strings.TrimSpace(head), "alias ")
		block, more := pem.Decode(rest)
		if block == nil || alias == "" {
			return errors.New("trust: want lines of alias NAME, each with a certificate after it")
		}
		rest = more
		c, err := firstInPEM(block.Bytes)
		if err != nil {
			return fmt.Errorf("trust: %w", err)
		}
		for _, name := range []string{s.desk.at.serverTrust, s.desk.at.pagesTrust, s.desk.at.keystore} {
			data, err := s.desk.read(name)
			if err != nil {
				return err
			}
			if data, err = withTrustedKnown(data, alias, c, true, w.now); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if err := s.desk.write(name, data); err != nil {
				return err
			}
		}
	}
	return nil
}

// encryptConfiguration is a person who looks whether a configuration connects encrypted, and makes it anew where it does not: one
// that is there cannot be edited (MCS/pages/247047420).
func (w *World) encryptConfiguration(t *server, v map[string]string) (string, error) {
	want, _, err := w.wizardLogin(t, v)
	if err != nil {
		return "", err
	}
	for _, c := range t.configurations {
		if c.leftBehind || c.item != v["item"] && t.pathOn(w, c) != v["item"] {
			continue
		}
		if c.tls == want.tls && c.port == want.port && c.user == want.user {
			return fmt.Sprintf("the configuration for %s on %s is encrypted", v["item"], t.name), nil
		}
		if !t.release.asksOnDelete() {
			return "", fmt.Errorf("%s cannot make a configuration anew without its copies being deleted", t.release)
		}
		return w.createAnew(t, c, v)
	}
	return w.createConfiguration(t, v)
}

// createAnew deletes a configuration, not what it has copied, and makes another one in its place; what the wizard refuses leaves it.
func (w *World) createAnew(t *server, old *configuration, v map[string]string) (string, error) {
	list, deleted := slices.Clone(t.configurations), maps.Clone(t.deleted)
	t.unconfigure(old, true)
	done, err := w.createConfiguration(t, v)
	if err != nil {
		t.configurations, t.deleted = list, deleted
	}
	return done, err
}

// pathOn is the path of what a configuration is for, on its source.
func (*server) pathOn(w *World, c *configuration) string {
	if source := w.servers[c.source]; source != nil && c.kind == kindCategory {
		return source.path(c.item)
	}
	return ""
}

// replaceCertificate has the encrypted port present something else, as if somebody had given it another keystore.
func (w *World) replaceCertificate(s *server, v map[string]string) (string, error) {
	if s.issued == nil || s.presents == nil {
		return "", fmt.Errorf("the encrypted port of %s has no certificate that could be replaced", s.name)
	}
	by, names, days := s.issued.by, s.issued.names, 400
	var err error
	switch v["what"] {
	case "expired":
		days = -3
	case "wrong_name":
		names = []string{"elsewhere.example"}
	case "self_signed":
		by = nil
	case "other_authority":
		if by, err = newAuthority("Unknown CA", "", false); err != nil {
			return "", err
		}
	case "no_intermediate":
	default:
		return "", fmt.Errorf("what: want expired, wrong_name, self_signed, no_intermediate or other_authority, got %q", v["what"])
	}
	p, err := by.forServer(names, days, s.issued.keyType)
	if err != nil {
		return "", err
	}
	if v["what"] == "no_intermediate" {
		p.chain = p.chain[:1]
	}
	data, err := writeP12(shippedAlias, s.presents.password, p.key, p.chain)
	if err != nil {
		return "", err
	}
	if s.presents, err = present(data, s.presents.name, s.presents.password); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s presents another certificate (%s)", s.name, v["what"]), nil
}

func (*World) editFile(s *server, v map[string]string) (string, error) {
	if err := s.desk.write(v["path"], []byte(v["content"])); err != nil {
		return "", err
	}
	return fmt.Sprintf("edited %s on the machine of %s", v["path"], s.name), nil
}

func (*World) blockPort(s *server, v map[string]string) (string, error) {
	open, err := truth(v, "open", false)
	if err != nil {
		return "", err
	}
	s.blocked = !open
	return fmt.Sprintf("the encrypted port of %s can be reached: %t", s.name, open), nil
}
