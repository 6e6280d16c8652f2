package rest

import (
	"encoding/base64"
	"net/http"

	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/network"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/state"
	"github.com/syncctl/syncctl/sandbox/seed"
)

// clientTLSBody is the body of /osmc/admin/tls in the OpenAPI files. Members that a body leaves out are nil.
type clientTLSBody struct {
	Enabled      *bool   `json:"enabled"`
	Port         *int    `json:"port"`
	Keystore     *string `json:"serverKeystore"`
	KeystoreName *string `json:"serverKeystoreName"`
	Password     *string `json:"serverPass"`
}

// getClientTLS answers with the encrypted port for clients as in the example of the OpenAPI files: the keystore as
// uploaded, and an empty password. ASSUMED: it requires Configure Server; a port that was never open is 0, and a
// missing keystore is "".
func (c *call) getClientTLS() reply {
	if !c.server.HasPermission(c.user, state.ConfigureServer, "", "") {
		return c.forbidden(state.ConfigureServer)
	}
	return jsonReply(http.StatusOK, TypeJSON, clientTLS(c.server))
}

func clientTLS(s *state.Server) object {
	out := object{"enabled": s.TLS, "port": s.TLSPort, "serverKeystore": "", "serverKeystoreName": "", "serverPass": ""}
	if p := s.Presents; p != nil {
		out["serverKeystore"], out["serverKeystoreName"] = base64.StdEncoding.EncodeToString(p.Keystore), p.Name
	}
	return out
}

// setClientTLS is the switch "TLS over TCP" in Settings, Server settings (facts 2.2). ASSUMED: PUT requires all that
// it needs, PATCH changes what it is given; the keystore must open with its password and have a key; a change takes
// effect at once; the port must not be the one for clients without encryption. No refusal is documented.
func (c *call) setClientTLS() reply {
	s := c.server
	if !s.HasPermission(c.user, state.ConfigureServer, "", "") {
		return c.forbidden(state.ConfigureServer)
	}
	if !c.sends(TypeJSON) {
		return c.refuse(http.StatusUnsupportedMediaType, "want %s", TypeJSON)
	}
	var in clientTLSBody
	if err := seed.Decode(c.body, &in); err != nil {
		return c.refuse(http.StatusBadRequest, "%v", err)
	}
	if c.Method == http.MethodPut && (in.Enabled == nil || in.Port == nil) {
		return c.refuse(http.StatusBadRequest, "enabled and port are needed")
	}
	on, port, given := s.TLS, s.TLSPort, s.Presents
	if in.Enabled != nil {
		on = *in.Enabled
	}
	if in.Port != nil {
		port = *in.Port
	}
	if in.Keystore != nil && *in.Keystore != "" {
		var why string
		if given, why = in.present(); why != "" {
			return c.refuse(http.StatusBadRequest, "%s", why)
		}
	}
	switch {
	case port < 1 || port > 65535:
		return c.refuse(http.StatusBadRequest, "port %d is invalid", port)
	case port == s.PlainPort:
		return c.refuse(http.StatusBadRequest, "port %d is that of clients that do not encrypt", port)
	case on && given == nil && !s.Assumes:
		return c.refuse(http.StatusBadRequest, "there is no keystore")
	}
	s.TLS, s.TLSPort, s.Presents = on, port, given
	return jsonReply(http.StatusOK, TypeJSON, clientTLS(s))
}

func (in *clientTLSBody) present() (p *state.Presented, why string) {
	keystore, err := base64.StdEncoding.DecodeString(*in.Keystore)
	if err != nil {
		return nil, "serverKeystore is not Base64"
	}
	name, password := "", ""
	if in.KeystoreName != nil {
		name = *in.KeystoreName
	}
	if in.Password != nil {
		password = *in.Password
	}
	if name == "" {
		return nil, "serverKeystoreName is missing"
	}
	if p, err = network.Present(keystore, name, password); err != nil {
		return nil, "the keystore cannot be used: " + err.Error()
	}
	return p, ""
}
