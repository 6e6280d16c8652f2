package main

import (
	"flag"
	"fmt"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files")

// TestPicture compares the README's picture with a real rehearsal, drawn as an animated terminal.
func TestPicture(t *testing.T) {
	const example = "examples/behind-firewall-master"
	if !builtIn(t, example) {
		return // the picture shows a product that is not built in
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "rehearse", example)
	cmd.Args[0] = "syncctl"
	cmd.Dir = filepath.Join("..", "..")
	cmd.Env = append(os.Environ(), "FORCE_COLOR=1", "NO_COLOR=", "COLUMNS=250")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	got := drawTerminal("syncctl rehearse "+example, shortened(string(out)))
	golden := filepath.Join("..", "..", "docs", "rehearse.svg")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s does not show what the program prints; if the change is intended: "+
			"go test ./cmd/syncctl -run TestPicture -update\n%s", golden, firstDifference(got, string(want)))
	}
}

var (
	escapes = regexp.MustCompile("\x1b\\[([0-9;]*)m")
	varying = []struct {
		what *regexp.Regexp
		with string
	}{
		{regexp.MustCompile(`https://127\.0\.0\.1:[0-9]+`), "https://127.0.0.1:8443"},
		{regexp.MustCompile(`runs/[0-9TZ.]+-[0-9a-f]+`), "runs/20261122T090000.000Z-c0ffee"},
		{regexp.MustCompile(`[0-9.]+s, [0-9]+ requests`), "1.2s, 150 requests"},
	}
	ended   = regexp.MustCompile(`^ ?( ?[0-9]+)/[0-9]+ `)
	beneath = regexp.MustCompile(`^ +(because|waits for|for a person|[0-9]+\. |verified again|if interrupted|` +
		`destroys|loses|adds|note |warning |  \S)|started|verifying|a person is asked|^ +step [0-9]+:`)
)

// shortened leaves out what the picture has no room for: the reason of each step, and all events but its last.
func shortened(out string) []string {
	for _, v := range varying {
		out = v.what.ReplaceAllString(out, v.with)
	}
	var lines []string
	for line := range strings.SplitSeq(strings.TrimSpace(out), "\n") {
		plain := escapes.ReplaceAllString(line, "")
		if !beneath.MatchString(plain) && (plain != "" || len(lines) > 0 && lines[len(lines)-1] != "") {
			lines = append(lines, line)
		}
	}
	for i := 0; i < len(lines); i++ { // independent steps end in any order
		n := i
		for n < len(lines) && ended.MatchString(lines[n]) {
			n++
		}
		slices.SortFunc(lines[i:n], strings.Compare)
		i = n
	}
	return lines
}

const (
	lineHeight = 19
	windowRows = 32
	columns    = 128
	perLine    = 0.22 // seconds
)

// drawTerminal makes an SVG in which the lines appear one after the other and the text moves up.
func drawTerminal(command string, lines []string) string {
	lines = append([]string{"\x1b[1m$ " + command + "\x1b[0m", ""}, lines...)
	var b strings.Builder
	total := float64(len(lines))*perLine + 6
	height := windowRows*lineHeight + 24
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1080 %d" `+
		`font-family="ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace" font-size="13.5">`+"\n", height)
	fmt.Fprintf(&b, "<title>%s</title>\n<style>\n", html.EscapeString(command))
	b.WriteString("text{white-space:pre;fill:#d4d7dd}.b{font-weight:bold;fill:#fff}.d{fill:#7d8590}.r{fill:#ff7b72}" +
		".g{fill:#7ee787}.y{fill:#e3b341}.c{fill:#79c0ff}.m{fill:#d2a8ff}\n")
	fmt.Fprintf(&b, "@keyframes up{")
	for i := range lines {
		if up := i + 1 - windowRows; up > 0 {
			fmt.Fprintf(&b, "%.2f%%{transform:translateY(-%dpx)}", float64(i)*perLine/total*100, up*lineHeight)
		} else if i == 0 || up == 0 {
			fmt.Fprintf(&b, "%.2f%%{transform:translateY(0)}", float64(i)*perLine/total*100)
		}
	}
	fmt.Fprintf(&b, "100%%{transform:translateY(-%dpx)}}\n@keyframes in{from{opacity:0}to{opacity:1}}\n",
		max(0, len(lines)-windowRows)*lineHeight)
	fmt.Fprintf(&b, "#t{animation:up %.2fs step-end infinite}#t text{animation:in .01s both}\n</style>\n", total)
	fmt.Fprintf(&b, `<clipPath id="w"><rect width="1080" height="%d"/></clipPath>`+
		`<rect width="1080" height="%d" rx="8" fill="#0d1117"/>`+"\n"+`<g clip-path="url(#w)"><g id="t">`+"\n",
		height-8, height)
	for i, line := range lines {
		fmt.Fprintf(&b, `<text x="16" y="%d" style="animation-delay:%.2fs">%s</text>`+"\n",
			26+i*lineHeight, float64(i)*perLine, spans(line))
	}
	b.WriteString("</g></g>\n</svg>\n")
	return b.String()
}

var colours = map[string]string{"1": "b", "2": "d", "31": "r", "32": "g", "33": "y", "34": "c", "35": "m", "36": "c"}

// spans turns one line with escape codes into text of an SVG.
func spans(line string) string {
	var b strings.Builder
	class := ""
	room := columns
	put := func(text string) {
		runes := []rune(text)
		if len(runes) > room {
			runes = append(runes[:max(0, room-1)], '…')
		}
		room = max(0, room-len(runes))
		if text = string(runes); text == "" || text == "…" {
			return
		}
		if class == "" {
			b.WriteString(html.EscapeString(text))
			return
		}
		fmt.Fprintf(&b, `<tspan class="%s">%s</tspan>`, class, html.EscapeString(text))
	}
	at := 0
	for _, m := range escapes.FindAllStringSubmatchIndex(line, -1) {
		put(line[at:m[0]])
		at = m[1]
		class = ""
		for code := range strings.SplitSeq(line[m[2]:m[3]], ";") {
			if c := colours[code]; c != "" {
				class = strings.TrimSpace(class + " " + c)
			}
		}
	}
	put(line[at:])
	return b.String()
}
