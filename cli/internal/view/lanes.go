package view

import (
	"io"
	"strings"
	"unicode/utf8"
)

// Lanes shows the output of several processes. If there is room, each process has a column. Otherwise each line has
// the name of its process in front. Time goes down the page.
type Lanes struct {
	w     io.Writer
	style Style
	names []string
	width int // of a column; 0: no columns, the name is in front of each line

	rows    [][]string // by lane, the lines that wait to be shown together
	waiting bool
}

// leastLane is the minimum width of a column, in characters.
const leastLane = 70

// between separates two columns.
const between = " │ "

// NewLanes returns lanes with these names, from left to right.
func NewLanes(w io.Writer, s Style, names []string) *Lanes {
	l := &Lanes{w: w, style: s, names: names, rows: make([][]string, len(names))}
	n := len(names)
	if width := (s.Width - (n-1)*utf8.RuneCountInString(between)) / max(n, 1); width >= leastLane {
		l.width = width
	}
	return l
}

// Room returns the width of a lane's text, in characters, or 0 if lines are not broken.
func (l *Lanes) Room() int {
	switch {
	case l.width > 0:
		return l.width
	case l.style.Width > 0:
		return max(l.style.Width-l.front(), 20)
	}
	return 0
}

// front returns the width of the names in front of lines, with the separator.
func (l *Lanes) front() int {
	longest := 0
	for _, name := range l.names {
		longest = max(longest, utf8.RuneCountInString(oneLine(name)))
	}
	return longest + utf8.RuneCountInString(between)
}

// Lane returns the writer of one lane. Text is shown line by line. Close shows a last line that has no line break.
func (l *Lanes) Lane(name string) io.WriteCloser {
	for i := range l.names {
		if l.names[i] == name {
			return &lane{lanes: l, at: i}
		}
	}
	panic("there is no lane " + name)
}

// Together holds back the output of the lanes until show is called. show writes it so that all columns begin at the
// same line. Without columns, nothing is held back.
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

// Head writes the names of the columns. Without columns it writes nothing.
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

// row returns one line across all columns.
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

// visible counts the characters of a text without our own colour sequences.
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

// sgr returns the length of the colour sequence at the beginning of a text, or 0 if there is none.
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

// broken breaks a line into pieces of at most width characters: at a blank, if there is one in the second half. Later
// pieces have the indent of the line, and continue its colour.
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

// breakAt returns where the first piece of a line ends, where the next one begins, and the colour that it continues.
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
