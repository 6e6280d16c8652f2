package serve

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/printable"
	"github.com/syncctl/syncctl/report/page"
)

// session is the one browser that may answer.
type session struct {
	name   string // of the person, for the record
	cookie string
	secret string // sent with each answer; pages of other sites do not know it
}

// mostName is the maximum length of a person's name, in bytes.
const mostName = 240

const cookieName = "syncctl-session"

// newToken returns a token of 100 random bits that a person can type: letters and digits in groups of five.
func newToken(random io.Reader) (string, error) {
	b := make([]byte, 13)
	if _, err := io.ReadFull(random, b); err != nil {
		return "", fmt.Errorf("making the page's token: %w", err)
	}
	word := strings.ToLower(base32.StdEncoding.EncodeToString(b))
	return word[:5] + "-" + word[5:10] + "-" + word[10:15] + "-" + word[15:20], nil
}

// same reports whether two secrets are equal. The time it takes does not depend on where they differ.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// bare returns a token in the form that is compared: lower case, without hyphens and blanks.
func bare(token string) string {
	return strings.NewReplacer("-", "", " ", "").Replace(strings.ToLower(token))
}

// open opens the session for the browser that sends the token.
func (p *Page) open(w http.ResponseWriter, r *http.Request) error {
	name := strings.TrimSpace(r.PostForm.Get("name"))
	if name == "" || len(name) > mostName || !utf8.ValidString(name) {
		return p.show(w, r, http.StatusUnprocessableEntity, "Give your name: it stands in the record of the run.")
	}
	cookie, err := p.secret(32)
	if err != nil {
		return err
	}
	secret, err := p.secret(32)
	if err != nil {
		return err
	}
	s := &session{printable.Line(name), cookie, secret}
	if status, notice := p.admit(s, r.PostForm.Get("token")); status != http.StatusOK {
		return p.show(w, r, status, notice)
	}
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // not Secure: the page is served on this machine, without TLS
		Name: cookieName, Value: cookie, Path: p.base, HttpOnly: true, SameSite: http.SameSiteStrictMode,
	})
	p.Note("A session was opened on the page, by " + s.name + ".")
	p.o.Opened(s.name)
	return p.back(w)
}

// admit makes s the page's session if the token is right. s replaces the previous session, so that a person who has
// closed the browser, or uses another one, can still answer. Wrong tokens are not counted: nobody can guess the token,
// and a limit would let readers lock out the person who answers.
func (p *Page) admit(s *session, token string) (status int, notice string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.token == "" || p.closed:
		return http.StatusForbidden, "Nothing is answered on this page."
	case !same(bare(token), bare(p.token)):
		return http.StatusForbidden, "This is not the token."
	}
	p.session = s
	return http.StatusOK, ""
}

// sessionOf returns the session if the request belongs to it, or nil if it comes from a reader.
func (p *Page) sessionOf(r *http.Request) *session {
	p.mu.Lock()
	defer p.mu.Unlock()
	cookie, err := r.Cookie(cookieName)
	if err != nil || p.session == nil || !same(cookie.Value, p.session.cookie) {
		return nil
	}
	return p.session
}

// question is a question that waits for an answer.
type question struct {
	ask   executor.Ask
	reply chan executor.Reply
}

// Ask shows a question on the page until it is answered there, or until ctx ends.
func (p *Page) Ask(ctx context.Context, ask executor.Ask) (executor.Reply, error) {
	q := &question{ask, make(chan executor.Reply, 1)}
	p.mu.Lock()
	p.questions[ask.Step.ID] = q
	p.mu.Unlock()
	p.Changed()
	defer p.Changed()
	select {
	case r := <-q.reply:
		return r, nil
	case <-ctx.Done():
	}
	p.mu.Lock()
	if p.questions[ask.Step.ID] == q {
		delete(p.questions, ask.Step.ID)
	}
	p.mu.Unlock()
	select {
	case r := <-q.reply: // answered just now: the browser was told that the answer is recorded
		return r, nil
	default:
		return executor.Reply{}, ctx.Err()
	}
}

// reply handles the form with the answer to a question.
func (p *Page) reply(w http.ResponseWriter, r *http.Request) error {
	s, form := p.sessionOf(r), r.PostForm
	if s == nil || !same(form.Get("secret"), s.secret) {
		return &refusal{http.StatusForbidden, "this browser has not opened the session"}
	}
	reply := executor.Reply{By: s.name + " (on the live page)"}
	switch form.Get("reply") {
	case "done":
		reply.Done = true
	case "later":
	default:
		return &refusal{http.StatusBadRequest, "the reply is done or later"}
	}
	status, notice := p.take(form.Get("step"), form.Get("attempt"), form.Get("word"), reply)
	if status != http.StatusOK {
		return p.show(w, r, status, notice)
	}
	return p.back(w)
}

// take passes a reply to its question. The form names the step by number, since a step ID may contain a secret.
func (p *Page) take(step, attempt, word string, reply executor.Reply) (status int, notice string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, q := range p.questions {
		if strconv.Itoa(p.o.Numbers[id]) != step || strconv.Itoa(q.ask.Attempt) != attempt {
			continue
		}
		if reply.Done && page.Typed(&q.ask) && strings.ToLower(strings.TrimSpace(word)) != "done" {
			return http.StatusUnprocessableEntity, "Not recorded: type 'done' in the field of the step, to say that it is done."
		}
		if p.owed == nil {
			p.owed = make(chan struct{})
		}
		q.reply <- reply
		delete(p.questions, id)
		return http.StatusOK, ""
	}
	return http.StatusConflict, "Not recorded: this is not asked any more. Somebody has answered, or it is asked again."
}

// back redirects a browser from a form to the page.
func (p *Page) back(w http.ResponseWriter) error {
	w.Header().Set("Location", p.base)
	w.WriteHeader(http.StatusSeeOther)
	return nil
}
