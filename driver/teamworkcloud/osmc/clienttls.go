package osmc

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"

	"github.com/syncctl/syncctl/driver/rest"
	"github.com/syncctl/syncctl/lazyregexp"
)

// ClientTLS is the state of the encrypted port for clients (/osmc/admin/tls).
type ClientTLS struct {
	Enabled      bool
	Port         int    // 0: the server does not say
	Keystore     []byte // with the server's key and certificate; nil if the server does not return it
	KeystoreName string // name of its file: "keystore.p12"
}

// String describes the port, without the content of the keystore.
func (c ClientTLS) String() string {
	name := cmp.Or(c.KeystoreName, "without a name")
	return fmt.Sprintf("enabled %t, port %d, keystore %s of %d bytes", c.Enabled, c.Port, name, len(c.Keystore))
}

// GoString is String.
func (c ClientTLS) GoString() string { return c.String() }

// MarshalJSON leaves out the keystore, because it contains a key.
func (c ClientTLS) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, `{"enabled":%t,"port":%d}`, c.Enabled, c.Port), nil
}

// ClientTLS returns the state of the encrypted port for clients (GET /osmc/admin/tls).
func (r Reader) ClientTLS(ctx context.Context) (*ClientTLS, error) {
	answer, err := r.c.do(ctx, rest.Request{Method: http.MethodGet, Path: path("admin", "tls"),
		Header: http.Header{"Accept": {accept}}, GiveUp: hidePieces})
	var out *ClientTLS
	if err == nil {
		out, err = decode(answer, r.c.parseClientTLS)
	}
	if err != nil {
		return nil, fmt.Errorf("asking for the encrypted port: %w", err)
	}
	return out, nil
}

// encoded matches a piece of a keystore that a server may repeat: it is too long to be a word.
var encoded = lazyregexp.New(`(?:[A-Za-z0-9_-]|\\?[+/=]|\\u00(?i:2b|2f|3d)){32,}`)

// hidePieces removes pieces of a keystore from what a server says about a failed request. A server may repeat only a
// part of a long keystore, in which hiding the whole finds nothing. hidePieces does not stop retries.
func hidePieces(e *rest.Error) bool {
	e.Message = encoded.ReplaceAllString(e.Message, "REDACTED")
	return false
}

// parseClientTLS reads the answer. The specification shows it only by an example, so members may be missing. A
// keystore that is not base64 is ignored.
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

// SetClientTLS opens or closes the encrypted port for clients, and sets its keystore (PUT /osmc/admin/tls). password
// opens the keystore. ASSUMED: without Keystore the server keeps its current one.
func (w Writer) SetClientTLS(ctx context.Context, state ClientTLS, password string) error {
	body := map[string]any{"enabled": state.Enabled, "port": state.Port}
	if len(state.Keystore) > 0 {
		text := base64.StdEncoding.EncodeToString(state.Keystore)
		w.c.conceal(text, password)
		body["serverKeystore"], body["serverKeystoreName"], body["serverPass"] = text, state.KeystoreName, password
	}
	answer, err := w.c.do(ctx, rest.Request{
		Method: http.MethodPut, Path: path("admin", "tls"), Retry: rest.Never, Header: http.Header{"Accept": {accept}},
		JSON: body, GiveUp: hidePieces,
	})
	if err == nil && isPage(answer.Body) {
		err = answer.DecodeJSON(new(any))
	}
	if err != nil {
		return fmt.Errorf("setting the encrypted port: %w", err)
	}
	return nil
}
