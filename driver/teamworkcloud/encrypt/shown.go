package encrypt

import (
	"context"
	"fmt"
	"path"
	"strings"

	"github.com/syncctl/syncctl/driver/keystore"
	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// Shown is what a server without sync_tls, and its machine, show about its encryption. It contains no password.
type Shown struct {
	Lines  []string        // sentences for people
	Path   string          // path of the web application's keystore, "" if no file has it
	Format keystore.Format // format of that keystore, "" if unknown
}

// Show reads what a server shows. What cannot be read is mentioned in a line.
func (e *Encryption) Show(ctx context.Context, r *schema.Resource, release osmc.Release) Shown {
	var out Shown
	body, err := e.observe(ctx, r, planner.Need{Server: r.Addr.String(), What: AboutPort})
	switch port, _ := body.(*Port); {
	case err != nil:
		out.say("Its encrypted port for clients could not be asked for: %s.", wording.OneLine(err.Error()))
	case !port.Known:
		out.say("It does not say how its encrypted port for clients stands.")
	case port.Enabled && port.Port > 0:
		out.say("Its encrypted port for clients is open: %d.", port.Port)
	case port.Enabled:
		out.say("Its encrypted port for clients is open; it does not say which one that is.")
	default:
		out.say("Its encrypted port for clients is closed.")
	}
	if connect.Declared(r).Host == nil {
		out.say("Its settings files were not read: it declares no host.")
		return out
	}
	places := placesOf(connect.Declared(r), release)
	e.showFile(ctx, &out, r, places.web, AboutProperties)
	e.showFile(ctx, &out, r, places.conf, AboutHOCON)
	return out
}

func (s *Shown) say(format string, args ...any) {
	s.Lines = append(s.Lines, fmt.Sprintf(format, args...))
}

// showFile adds what a settings file has for the keys that matter for encryption.
func (e *Encryption) showFile(ctx context.Context, out *Shown, r *schema.Resource, name, about string) {
	body, err := e.observe(ctx, r, planner.Need{Server: r.Addr.String(), What: about, Of: name})
	if err != nil {
		out.say("%s could not be read: %s.", name, wording.OneLine(err.Error()))
		return
	}
	s := body.(*Settings)
	if s.Problem != "" {
		out.say("%s could not be read: %s.", name, s.Problem)
		return
	}
	var said []string
	for _, v := range s.Values {
		switch {
		case v.Line == 0 || !v.Set && v.Key != keyPassword:
		case v.Key == keyPassword:
			said = append(said, v.Key+" is set")
		default:
			said = append(said, v.Key+" = "+wording.Quote(wording.OneLine(v.Have)))
		}
	}
	if len(said) == 0 {
		out.say("%s sets nothing of what sync_tls looks after.", name)
		return
	}
	out.say("%s: %s.", name, strings.Join(said, ", "))
	if v := valueIn(s.Values, keyPath); v.Set && path.IsAbs(v.Have) && !v.Sealed {
		out.Path = v.Have
	}
	for _, f := range []keystore.Format{keystore.PKCS12, keystore.JKS} {
		if v := valueIn(s.Values, keyType); v.Set && strings.EqualFold(strings.TrimSpace(v.Have), f.Java()) {
			out.Format = f
		}
	}
}
