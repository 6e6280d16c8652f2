package osmc

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"

	"github.com/syncctl/syncctl/driver/rest"
)

// ClientTLS is the encrypted port for clients (/osmc/admin/tls).
type ClientTLS struct {
	Enabled      bool
	Port         int    // 0: the server does not say
	Keystore     []byte // with the server's key and certificate; nil where the server does not give it
	KeystoreName string // of its file: "keystore.p12"
}

// String says how the port stands, and nothing of the keystore.
func (c ClientTLS) String() string {
	return fmt.Sprintf("enabled %t, port %d, keystore %s of %d bytes", c.Enabled, c.Port, cmp.Or(c.KeystoreName, "without a name"), len(c.Keystore))
}

// GoString is String.
func (c ClientTLS) GoString() string { return c.String() }

// MarshalJSON leaves the keystore out: a key is in it.
func (c ClientTLS) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, `{"enabled":%t,"port":%d}`, c.Enabled, c.Port), nil
}

// ClientTLS asks how the encrypted port for clients stands (GET /osmc/admin/tls).
func (r Reader) ClientTLS(ctx context.Context) (*ClientTLS, error) {
	c, err := get(ctx, r.c, path("admin", "tls"), nil, r.c.parseClientTLS)
	if err != nil {
		return nil, fmt.Errorf("asking for the encrypted port: %w", err)
	}
	return c, nil
}

// parseClientTLS reads what the specification shows by an example alone: members may be missing. A keystore that is not base64 is
// none.
func (c *Client) parseClientTLS(n *node) (*ClientTLS, error) {
	e := entityAt(n, "enabled", "port")
	on, known := e.truth("enabled")
	if !known {
		return nil, e.missing("enabled")
	}
	out := &ClientTLS{Enabled: on, KeystoreName: e.text("serverKeystoreName")}
	if text := e.text("serverKeystore"); text != "" {
		c.conceal(text)
		if b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), "")); err == nil && len(b) > 0 {
			out.Keystore = b
		}
	}
	c.conceal(e.text("serverPass"))
	var err error
	out.Port, err = e.count("port")
	return out, err
}

// SetClientTLS opens or closes the encrypted port for clients and gives it its keystore (PUT /osmc/admin/tls). password opens the
// keystore.
func (w Writer) SetClientTLS(ctx context.Context, state ClientTLS, password string) error {
	text := base64.StdEncoding.EncodeToString(state.Keystore)
	w.c.conceal(text, password)
	answer, err := w.c.do(ctx, rest.Request{
		Method: http.MethodPut, Path: path("admin", "tls"), Retry: rest.Never, Header: http.Header{"Accept": {accept}},
		JSON: map[string]any{
			"enabled": state.Enabled, "port": state.Port, "serverKeystore": text, "serverKeystoreName": state.KeystoreName, "serverPass": password,
		},
	})
	if err == nil && isPage(answer.Body) {
		err = answer.DecodeJSON(new(any))
	}
	if err != nil {
		return fmt.Errorf("setting the encrypted port: %w", err)
	}
	return nil
}
