package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"syscall"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/cli/internal/view"
	"github.com/syncctl/syncctl/schema"
)

// guarded is where output passes on its way out: once a configuration is loaded, its secrets are taken out of every write.
// Whatever is printed is therefore written in one piece. When the reader goes away, as head does, the rest is dropped: a
// run must not stop half-way because nobody looks.
type guarded struct {
	mu   sync.Mutex
	w    io.Writer
	red  func() *schema.Redactor
	gone bool
}

func (g *guarded) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.gone {
		return len(p), nil
	}
	text := string(p)
	if red := g.red(); red != nil {
		text = red.String(text)
	}
	if _, err := io.WriteString(g.w, text); errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe) {
		g.gone = true
	} else if err != nil {
		return 0, err
	}
	return len(p), nil
}

// unread tells whether the reader of the output has gone away.
func (c *call) unread() bool {
	g, ok := c.out.(*guarded)
	if !ok {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.gone
}

// styles decides how the two streams may look.
func (c *call) styles() (out, err view.Style) {
	color := func(tty bool) bool {
		switch {
		case c.flags.noColor || c.app.set("NO_COLOR"):
			return false
		case c.app.set("FORCE_COLOR") && !c.app.is("FORCE_COLOR", "0"):
			return true
		}
		return tty && !c.app.is("TERM", "dumb")
	}
	width := c.width()
	out, err = view.Style{Color: color(c.app.tty.out)}, view.Style{Color: color(c.app.tty.err)}
	if c.app.tty.out || c.app.set("COLUMNS") {
		out.Width = width
	}
	if c.app.tty.err || c.app.set("COLUMNS") {
		err.Width = width
	}
	return out, err
}

// width is COLUMNS, or the terminal's.
func (c *call) width() int {
	if v, _ := c.app.env("COLUMNS"); v != "" {
		if n, err := strconv.Atoi(v); err == nil && n > 0 {
			return n
		}
	}
	if c.app.tty.width == nil {
		return 0
	}
	return c.app.tty.width()
}

// say prints a line for people.
func (c *call) say(format string, args ...any) { fmt.Fprintf(c.out, format+"\n", args...) }

// warn prints a line to the error stream.
func (c *call) warn(format string, args ...any) {
	fmt.Fprintln(c.err, c.errStyle.Bold("Warning: ")+schema.Sanitize(fmt.Sprintf(format, args...)))
}

// diagnostics prints what is wrong or odd: to the error stream, or as JSON to the output.
func (c *call) diagnostics(diags hcl.Diagnostics, files map[string]*hcl.File) error {
	if c.events != nil {
		return c.diagnosticEvents(diags, files)
	}
	if c.flags.json {
		w := &whole{w: c.out}
		if err := schema.WriteJSON(w, diags, files); err != nil {
			return err
		}
		return w.flush()
	}
	if len(diags) == 0 {
		return nil
	}
	whole := &whole{w: c.err}
	if err := schema.WriteText(whole, diags, files, schema.TextOptions{Width: c.errStyle.Width, Color: c.errStyle.Color}); err != nil {
		return err
	}
	return whole.flush()
}

// diagnosticEvents tells them as events, one each.
func (c *call) diagnosticEvents(diags hcl.Diagnostics, files map[string]*hcl.File) error {
	for _, d := range diags {
		var b bytes.Buffer
		if err := schema.WriteJSON(&b, hcl.Diagnostics{d}, files); err != nil {
			return err
		}
		var doc struct {
			Diagnostics []json.RawMessage `json:"diagnostics"`
		}
		if err := json.Unmarshal(b.Bytes(), &doc); err != nil {
			return fmt.Errorf("writing diagnostics: %w", err)
		}
		level := "error"
		if d.Severity == hcl.DiagWarning {
			level = "warn"
		}
		for _, one := range doc.Diagnostics {
			c.events.Write(level, "diagnostic", d.Summary, map[string]any{"diagnostic": one})
		}
	}
	return nil
}

// whole collects writes that belong together.
type whole struct {
	w   io.Writer
	buf []byte
}

func (w *whole) Write(p []byte) (int, error) {
	w.buf = append(w.buf, p...)
	return len(p), nil
}

func (w *whole) flush() error {
	_, err := w.w.Write(w.buf)
	w.buf = nil
	return err
}
