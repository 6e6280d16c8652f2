package settings

import (
	"bufio"
	"encoding/hex"
	"io"
	"os/exec"
	"strings"
	"sync"
	"unicode/utf16"
)

// fataler is what tests, fuzz targets and properties have in common.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// program is one of the Java programs in testdata, which read files as the servers do. If there is no Java to run it,
// or the library is missing, the tests do without it.
type program struct {
	in  io.WriteCloser
	out *bufio.Reader
}

// lightbend is the path of the library in Debian's libtypesafe-config-java.
const lightbend = "/usr/share/java/typesafe-config.jar"

// Each program is started once. It ends with the tests, when its input is closed.
var (
	javaProperties = sync.OnceValue(func() *program {
		return startJava("ReadProperties.java", toHex("a=b"),
			"0061=0062")
	})
	javaHOCON = sync.OnceValue(func() *program {
		return startJava("ReadHocon.java",
			toHex("a=b")+" /"+toHex("a"), "=0062")
	})
)

// startJava starts a program that answers each line with a line. It returns nil if the first answer is wrong.
func startJava(file, question, answer string) *program {
	cmd := exec.Command("java", "-XX:+UseSerialGC", "-cp", lightbend, "testdata/"+file)
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil
	}
	out, err := cmd.StdoutPipe()
	if err != nil || cmd.Start() != nil {
		return nil
	}
	p := &program{in, bufio.NewReaderSize(out, 1<<20)}
	if got, ok := p.ask(question); !ok || strings.TrimSpace(got) != answer {
		in.Close()
		_ = cmd.Wait()
		return nil
	}
	return p
}

func (p *program) ask(question string) (answer string, ok bool) {
	if _, err := io.WriteString(p.in, question+"\n"); err != nil {
		return "", false
	}
	answer, err := p.out.ReadString('\n')
	return strings.TrimSuffix(answer, "\n"), err == nil
}

func toHex(s string) string { return hex.EncodeToString([]byte(s)) }

// fromHex reads UTF-16BE.
func fromHex(tb fataler, s string) string {
	tb.Helper()
	b, err := hex.DecodeString(s)
	if err != nil || len(b)%2 != 0 {
		tb.Fatalf("Java answered %q: %v", s, err)
	}
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = uint16(b[2*i])<<8 | uint16(b[2*i+1])
	}
	return string(utf16.Decode(units))
}

// readProperties reads a file to keys and values. ok is false if the file is refused.
type readProperties func(tb fataler, src []byte) (values map[string]string, ok bool)

// propertiesReaders returns this package, and java.util.Properties if available.
func propertiesReaders() map[string]readProperties {
	readers := map[string]readProperties{"settings": func(_ fataler, src []byte) (map[string]string, bool) {
		p, err := ParseProperties(src)
		if err != nil {
			return nil, false
		}
		return valuesOf(p), true
	}}
	if java := javaProperties(); java != nil {
		readers["java.util.Properties"] = func(tb fataler, src []byte) (map[string]string, bool) {
			tb.Helper()
			answer, ok := java.ask(hex.EncodeToString(src))
			if !ok {
				tb.Fatalf("Java does not answer")
			}
			if answer == "!" {
				return nil, false
			}
			values := map[string]string{}
			for _, word := range strings.Fields(answer) {
				key, value, _ := strings.Cut(word, "=")
				values[fromHex(tb, key)] = fromHex(tb, value)
			}
			return values, true
		}
	}
	return readers
}

func valuesOf(p *Properties) map[string]string {
	values := map[string]string{}
	for _, e := range p.entries {
		values[e.key] = e.value
	}
	return values
}

// readHOCON returns what a file has at paths: "=" and the value, or a letter as defined in ReadHocon.java. refused
// says why the file was refused.
type readHOCON func(tb fataler, src []byte, paths ...[]string) (values []string, refused string)

// lightbendReader returns Lightbend's library, or nil if it is not available.
func lightbendReader() readHOCON {
	java := javaHOCON()
	if java == nil {
		return nil
	}
	return func(tb fataler, src []byte, paths ...[]string) ([]string, string) {
		tb.Helper()
		words := []string{hex.EncodeToString(src)}
		for _, path := range paths {
			keys := make([]string, len(path))
			for i, key := range path {
				keys[i] = "/" + toHex(key)
			}
			words = append(words, strings.Join(keys, "."))
		}
		answer, ok := java.ask(strings.Join(words, " "))
		if !ok {
			tb.Fatalf("Java does not answer")
		}
		if why, bad := strings.CutPrefix(answer, "! "); bad {
			return nil, fromHex(tb, why)
		}
		values := strings.Fields(answer)
		for i, value := range values {
			if text, ok := strings.CutPrefix(value, "="); ok {
				values[i] = "=" + fromHex(tb, text)
			}
		}
		return values, ""
	}
}
