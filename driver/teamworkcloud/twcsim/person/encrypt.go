package person

import (
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/keystore"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/network"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/state"
)

// configureEncryption is a person on a machine who makes the settings that encrypt synchronization. What is already
// set stays, so repeating it does no harm. A password that is not in the instructions is entered encrypted.
func configureEncryption(w *state.World, s *state.Server, v map[string]string) (string, error) {
	restart, err := truth(v, "restart", false)
	if err != nil {
		return "", err
	}
	m := s.Desk
	if err := setProperties(m, v["properties"]); err != nil {
		return "", err
	}
	if err := appendLines(m, v["appended"]); err != nil {
		return "", err
	}
	if err := trustByHand(w, s, v["trust"]); err != nil {
		return "", err
	}
	if !restart {
		return "set the encryption of " + s.Name, nil
	}
	for _, unit := range []string{state.UnitPages, state.UnitServer} {
		machine.StopUnit(s, unit)
	}
	for _, unit := range []string{state.UnitServer, state.UnitPages} {
		if err := machine.StartUnit(s, unit, w.Now); err != nil {
			return "", fmt.Errorf("starting %s: %w", unit, err)
		}
	}
	return "set the encryption of " + s.Name + " and started its services again", nil
}

// setProperties sets lines in the web application's settings, replacing lines with the same key.
func setProperties(m *state.Machine, lines string) error {
	if lines == "" {
		return nil
	}
	content, err := m.Read(m.At.Pages)
	if err != nil {
		return err
	}
	text := string(content)
	if !strings.Contains(lines, machine.SetPassword) {
		lines += "\n" + machine.SetPassword + "=" + machine.TypedByAPerson
	}
	for line := range strings.Lines(lines) {
		line = strings.TrimSpace(line)
		key, _, ok := strings.Cut(line, "=")
		if !ok {
			return fmt.Errorf("properties: %q is not of the form key=value", line)
		}
		set := regexp.MustCompile(`(?m)^[ \t]*` + regexp.QuoteMeta(key) + `[ \t]*[=:].*$`)
		if set.MatchString(text) {
			text = set.ReplaceAllLiteralString(text, line)
			continue
		}
		text = strings.TrimRight(text, "\n") + "\n" + line + "\n"
	}
	return m.Write(m.At.Pages, []byte(text))
}

func appendLines(m *state.Machine, lines string) error {
	if lines == "" {
		return nil
	}
	content, err := m.Read(m.At.Conf)
	if err != nil {
		return err
	}
	text := string(content)
	for line := range strings.Lines(lines) {
		if line = strings.TrimSpace(line); !slices.Contains(strings.Split(text, "\n"), line) {
			text = strings.TrimRight(text, "\n") + "\n" + line + "\n"
		}
	}
	return m.Write(m.At.Conf, []byte(text))
}

// trustByHand imports certificates in all places that the pages mention. text has "alias NAME" and then the
// certificate, for each.
func trustByHand(w *state.World, s *state.Server, text string) error {
	for rest := []byte(text); len(strings.TrimSpace(string(rest))) > 0; {
		head, _, _ := strings.Cut(strings.TrimSpace(string(rest)), "\n")
		alias, _ := strings.CutPrefix(strings.TrimSpace(head), "alias ")
		block, more := pem.Decode(rest)
		if block == nil || alias == "" {
			return errors.New("trust: want lines of alias NAME, each with a certificate after it")
		}
		rest = more
		c, err := keystore.FirstInPEM(block.Bytes)
		if err != nil {
			return fmt.Errorf("trust: %w", err)
		}
		for _, name := range []string{s.Desk.At.ServerTrust, s.Desk.At.PagesTrust, s.Desk.At.Keystore} {
			data, err := s.Desk.Read(name)
			if err != nil {
				return err
			}
			if data, err = keystore.WithTrustedKnown(data, alias, c, true, w.Now); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if err := s.Desk.Write(name, data); err != nil {
				return err
			}
		}
	}
	return nil
}

// encryptConfiguration is a person who checks whether a configuration connects encrypted, and creates it again if it
// does not, because a configuration cannot be edited (MCS/pages/247047420).
func encryptConfiguration(w *state.World, t *state.Server, v map[string]string) (string, error) {
	want, _, err := wizardLogin(w, t, v)
	if err != nil {
		return "", err
	}
	for _, c := range t.Configurations {
		if c.LeftBehind || c.Item != v["item"] && pathOn(t, w, c) != v["item"] {
			continue
		}
		if c.TLS == want.TLS && c.Port == want.Port && c.User == want.User {
			return fmt.Sprintf("the configuration for %s on %s is encrypted", v["item"], t.Name), nil
		}
		if !t.Release.AsksOnDelete() {
			return "", fmt.Errorf("%s cannot replace a configuration without deleting its copies", t.Release)
		}
		return createAnew(w, t, c, v)
	}
	return createConfiguration(w, t, v)
}

// createAnew deletes a configuration, but not what it has copied, and creates another one. If the wizard refuses that,
// the old one stays.
func createAnew(w *state.World, t *state.Server, old *state.Configuration, v map[string]string) (string, error) {
	list, deleted := slices.Clone(t.Configurations), maps.Clone(t.Deleted)
	unconfigure(t, old, true)
	done, err := createConfiguration(w, t, v)
	if err != nil {
		t.Configurations, t.Deleted = list, deleted
	}
	return done, err
}

// pathOn returns the path of a category that is configured, on its source.
func pathOn(_ *state.Server, w *state.World, c *state.Configuration) string {
	if source := w.Named[c.Source]; source != nil && c.Kind == state.KindCategory {
		return source.Path(c.Item)
	}
	return ""
}

// replaceCertificate makes the encrypted port present another certificate, as if somebody had uploaded another
// keystore.
func replaceCertificate(w *state.World, s *state.Server, v map[string]string) (string, error) {
	if s.Issued == nil || s.Presents == nil {
		return "", fmt.Errorf("the encrypted port of %s has no certificate that could be replaced", s.Name)
	}
	by, names, days := s.Issued.By, s.Issued.Names, 400
	var err error
	switch v["what"] {
	case "expired":
		days = -3
	case "wrong_name":
		names = []string{"elsewhere.example"}
	case "self_signed":
		by = nil
	case "other_authority":
		if by, err = keystore.NewAuthority("Unknown CA", "", false); err != nil {
			return "", err
		}
	case "no_intermediate":
	default:
		return "", fmt.Errorf("what: want expired, wrong_name, self_signed, no_intermediate or other_authority, got "+
			"%q", v["what"])
	}
	p, err := by.ForServer(names, days, s.Issued.KeyType)
	if err != nil {
		return "", err
	}
	if v["what"] == "no_intermediate" {
		p.Chain = p.Chain[:1]
	}
	data, err := keystore.Write(keystore.ShippedAlias, s.Presents.Password, p.Key, p.Chain)
	if err != nil {
		return "", err
	}
	if s.Presents, err = network.Present(data, s.Presents.Name, s.Presents.Password); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s presents another certificate (%s)", s.Name, v["what"]), nil
}

func editFile(_ *state.World, s *state.Server, v map[string]string) (string, error) {
	if err := s.Desk.Write(v["path"], []byte(v["content"])); err != nil {
		return "", err
	}
	return fmt.Sprintf("edited %s on the machine of %s", v["path"], s.Name), nil
}

func blockPort(_ *state.World, s *state.Server, v map[string]string) (string, error) {
	open, err := truth(v, "open", false)
	if err != nil {
		return "", err
	}
	s.Blocked = !open
	return fmt.Sprintf("the encrypted port of %s can be reached: %t", s.Name, open), nil
}
