package view

import (
	"io"
	"strings"
	"unicode/utf8"
)

// Lanes show what several processes say: side by side, a column each, where there is room for it; else one after
// another, with the name in front of each line. Time goes down the page.
type Lanes struct {
	w     io.Writer
	style Style
	names []string
	width int // of a column; 0: the name stands in front

	rows    [][]string // by lane, what waits to be shown together
	waiting bool
}

// leastLane is how many columns a lane has at least.
const leastLane = 70

// between stands between two columns.
const between = " │ "

// NewLanes makes lanes of these names, from left to right.
func NewLanes(w io.Writer, s Style, names []string) *Lanes {
	l := &Lanes{w: w, style: s, names: names, rows: make([][]string, len(names))}
	n := len(names)
	if width := (s.Width - (n-1)*utf8.RuneCountInString(between)) / max(n, 1); width >= leastLane {
		l.width = width
	}
	return l
}

// Room is how many columns a lane's text has; 0: lines are not broken.
func (l *Lanes) Room() int {
	switch {
	case l.width > 0:
		return l.width
	case l.style.Width > 0:
		return max(l.style.Width-l.front(), 20)
	}
	return 0
}

// front is the width of the names in front of lines.
func (l *Lanes) front() int {
	longest := 0
	for _, name := range l.names {
		longest = max(longest, utf8.RuneCountInString(oneLine(name)))
	}
	return longest + utf8.RuneCountInString(between)
}

// Lane is the writer of one lane. What is written is shown line by line; Close shows a line without an end.
func (l *Lanes) Lane(name string) io.WriteCloser {
	for i := range l.names {
		if l.names[i] == name {
			return &lane{lanes: l, at: i}
		}
	}
	panic("there is no lane " + name)
}

// Together keeps what the lanes say until the returned function is called, which shows it beginning at the same line.
func (l *Lanes) Together() (show func() error) {
	l.waiting = l.width > 0
	return func() error {
		l.waiting = false
		most := 0
		for _, rows := range l.rows {
			most = max(most, len(rows))
		}
		var b strings.Builder
		for n := range most {
			cells := make([]string, len(l.names))
			for i, rows := range l.rows {
				if n < len(rows) {
					cells[i] = rows[n]
				}
			}
			b.WriteString(l.row(cells))
		}
		l.rows = make([][]string, len(l.names))
		_, err := io.WriteString(l.w, b.String())
		return err
	}
}

// Head names the columns; without columns it says nothing.
func (l *Lanes) Head() error {
	if l.width == 0 {
		return nil
	}
	cells := make([]string, len(l.names))
	for i, name := range l.names {
		cells[i] = l.style.Bold(oneLine(name))
	}
	_, err := io.WriteString(l.w, l.row(cells))
	return err
}

// row is one line of all columns.
func (l *Lanes) row(cells []string) string {
	var b strings.Builder
	for i, cell := range cells {
		if i > 0 {
			b.WriteString(l.style.Dim(between))
		}
		b.WriteString(cell)
		if i < len(cells)-1 {
			b.WriteString(strings.Repeat(" ", max(0, l.width-visible(cell))))
		}
	}
	return strings.TrimRight(b.String(), " ") + "\n"
}

// line shows one line of a lane.
func (l *Lanes) line(at int, text string) error {
	if l.width == 0 {
		name := oneLine(l.names[at])
		name += strings.Repeat(" ", l.front()-utf8.RuneCountInString(between)-utf8.RuneCountInString(name))
		pieces := []string{text}
		if room := l.Room(); room > 0 {
			pieces = broken(text, room)
		}
		var b strings.Builder
		for _, piece := range pieces {
			b.WriteString(strings.TrimRight(l.style.Dim(name+between)+piece, " ") + "\n")
		}
		_, err := io.WriteString(l.w, b.String())
		return err
	}
	var b strings.Builder
	for _, piece := range broken(text, l.width) {
		if l.waiting {
			l.rows[at] = append(l.rows[at], piece)
			continue
		}
		cells := make([]string, len(l.names))
		cells[at] = piece
		b.WriteString(l.row(cells))
	}
	_, err := io.WriteString(l.w, b.String())
	return err
}

type lane struct {
	lanes *Lanes
	at    int
	rest  string
}

func (w *lane) Write(p []byte) (int, error) {
	w.rest += string(p)
	for {
		line, rest, ok := strings.Cut(w.rest, "\n")
		if !ok {
			return len(p), nil
		}
		w.rest = rest
		if err := w.lanes.line(w.at, line); err != nil {
			return 0, err
		}
	}
}

func (w *lane) Close() error {
	if w.rest == "" {
		return nil
	}
	line := w.rest
	w.rest = ""
	return w.lanes.line(w.at, line)
}

// visible counts the characters of a text that take a column: not those of our own colours.
func visible(text string) int {
	n := 0
	for text != "" {
		if look := sgr(text); look > 0 {
			text = text[look:]
			continue
		}
		_, size := utf8.DecodeRuneInString(text)
		text = text[size:]
		n++
	}
	return n
}

// sgr is the length of the colour that a text begins with; 0: it begins with none.
func sgr(text string) int {
	if !strings.HasPrefix(text, "\x1b[") {
		return 0
	}
	end := strings.IndexByte(text, 'm')
	if end < 0 || strings.Trim(text[2:end], "0123456789;") != "" {
		return 0
	}
	return end + 1
}

// broken breaks a line into pieces of at most width columns, at a blank where there is one in the second half. Further
// pieces have the indent of the line, and a colour goes on in them.
func broken(text string, width int) []string {
	text = strings.ReplaceAll(text, "\t", "    ")
	indent := text[:len(text)-len(strings.TrimLeft(text, " "))]
	if len(indent) > width/2 {
		indent = ""
	}
	var out []string
	look := ""
	for visible(text) > width {
		at, next, after := breakAt(text, width)
		piece := look + text[:at]
		look = after
		if look != "" {
			piece += "\x1b[0m"
		}
		out = append(out, piece)
		text = indent + text[next:]
	}
	return append(out, look+text)
}

// breakAt is where a line is broken, where the next piece begins, and which colour goes on there.
func breakAt(text string, width int) (at, next int, look string) {
	n, i, current := 0, 0, ""
	for i < len(text) {
		if size := sgr(text[i:]); size > 0 {
			if current = text[i : i+size]; current == "\x1b[0m" {
				current = ""
			}
			i += size
			continue
		}
		if text[i] == ' ' && n > width/2 {
			at, next, look = i, i+1, current
		}
		if n == width {
			break
		}
		_, size := utf8.DecodeRuneInString(text[i:])
		i += size
		n++
	}
	if at == 0 {
		return i, i, current
	}
	return at, next, look
}
