package sandbox

import (
	"bytes"
	"context"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// maxPersonBytes is the maximum size of a request to the control endpoint. A step's values are small.
const maxPersonBytes = 1 << 20

type personRequest struct {
	Action string            `json:"action"`
	Values map[string]string `json:"values"`
}

type personAnswer struct {
	Done  string `json:"done,omitempty"`
	Error string `json:"error,omitempty"`
}

// personServer is the control endpoint: POST /person does a person's step, GET /state returns the state of every
// world. Both require the token, so that a web page that guesses the port cannot act.
type personServer struct {
	sandbox *Sandbox
	token   string
	address string // with the token, as in EnvPerson
	mux     http.ServeMux
}

func newPersonServer(s *Sandbox, address, token string) *personServer {
	u := url.URL{Scheme: "https", User: url.UserPassword("person", token), Host: address[len("https://"):]}
	p := &personServer{sandbox: s, token: token, address: u.String()}
	p.mux.HandleFunc("POST /person", p.act)
	p.mux.HandleFunc("GET /state", p.state)
	return p
}

func (p *personServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	want := "Bearer " + p.token
	if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte(want)) != 1 {
		answerPerson(w, http.StatusUnauthorized, personAnswer{Error: "the sandbox's token is missing or wrong"})
		return
	}
	p.mux.ServeHTTP(w, r)
}

func (p *personServer) act(w http.ResponseWriter, r *http.Request) {
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxPersonBytes))
	dec.DisallowUnknownFields()
	var req personRequest
	err := dec.Decode(&req)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("it ends too early")
	}
	if err != nil {
		answerPerson(w, http.StatusBadRequest,
			personAnswer{Error: fmt.Sprintf("reading what the person is to do: %v", err)})
		return
	}
	if req.Action == "" {
		answerPerson(w, http.StatusBadRequest, personAnswer{Error: "no action was given"})
		return
	}
	done, err := p.sandbox.Person(r.Context(), req.Action, req.Values)
	if err != nil {
		answerPerson(w, http.StatusUnprocessableEntity, personAnswer{Error: err.Error()})
		return
	}
	answerPerson(w, http.StatusOK, personAnswer{Done: done})
}

func (p *personServer) state(w http.ResponseWriter, _ *http.Request) {
	b, err := p.sandbox.State()
	if err != nil {
		answerPerson(w, http.StatusInternalServerError, personAnswer{Error: err.Error()})
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(b) // the client may be gone
}

func answerPerson(w http.ResponseWriter, status int, a personAnswer) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(a) // the client may be gone
}

// PersonClient asks a sandbox's stand-in to do a person's steps. It may be used by several goroutines. It keeps no
// connection open between calls.
type PersonClient struct {
	base  *url.URL // without the token
	token string
	http  *http.Client
}

// NewPersonClient makes a client from the value of EnvPerson and the content of the file that EnvCAFile names. It
// trusts only the sandbox's own authority.
func NewPersonClient(address string, caPEM []byte) (*PersonClient, error) {
	u, err := url.Parse(address)
	if err != nil { // its text would show the token
		return nil, errors.New("the address of the sandbox's stand-in is not a URL")
	}
	token, ok := u.User.Password()
	if u.Scheme != "https" || u.Host == "" || !ok {
		return nil, errors.New("the address of the sandbox's stand-in must be https://person:TOKEN@HOST:PORT")
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(caPEM) {
		return nil, errors.New("the sandbox's CA holds no certificate in PEM form")
	}
	return &PersonClient{
		base:  &url.URL{Scheme: u.Scheme, Host: u.Host},
		token: token,
		http: &http.Client{Transport: &http.Transport{
			TLSClientConfig:     &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout: 30 * time.Second,
			DisableKeepAlives:   true,
		}},
	}, nil
}

// Do makes the stand-in do one action and returns a description of it. A refusal is the error's text. ctx limits the
// wait.
func (c *PersonClient) Do(ctx context.Context, action string, values map[string]string) (string, error) {
	body, err := json.Marshal(personRequest{action, values})
	if err != nil {
		return "", fmt.Errorf("describing the person's step %s: %w", action, err)
	}
	b, status, err := c.call(ctx, http.MethodPost, "/person", body)
	if err != nil {
		return "", fmt.Errorf("asking the sandbox's stand-in for %s: %w", action, err)
	}
	var a personAnswer
	if err := json.Unmarshal(b, &a); err != nil {
		return "", fmt.Errorf("asking the sandbox's stand-in for %s: status %d with an answer that is not JSON: %w",
			action, status, err)
	}
	if status != http.StatusOK {
		return "", fmt.Errorf("the sandbox's stand-in could not do %s: %s", action, a.Error)
	}
	return a.Done, nil
}

// State returns the JSON of Sandbox.State.
func (c *PersonClient) State(ctx context.Context) ([]byte, error) {
	b, status, err := c.call(ctx, http.MethodGet, "/state", nil)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("status %d: %s", status, bytes.TrimSpace(b))
	}
	if err != nil {
		return nil, fmt.Errorf("asking the sandbox for its state: %w", err)
	}
	return b, nil
}

func (c *PersonClient) call(ctx context.Context, method, path string, body []byte) (answer []byte, status int,
	err error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base.JoinPath(path).String(), bytes.NewReader(body))
	if err != nil {
		return nil, 0, err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, 0, err
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(resp.Body)
	return answer, resp.StatusCode, err
}
