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

// program is one of the Java programs in testdata: what the servers read their files with. Without a Java that runs
// it, or without the library, the tests go without it.
type program struct {
	in  io.WriteCloser
	out *bufio.Reader
}

// lightbend is where Debian's libtypesafe-config-java puts the library.
const lightbend = "/usr/share/java/typesafe-config.jar"

// Each is started once, and ends when the tests do: then there is nothing more for it to read.
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

// startJava starts a program that answers a line with a line; nil if it does not answer the first one as it should.
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

// readProperties reads a file to keys and values; ok is false where it is refused.
type readProperties func(tb fataler, src []byte) (values map[string]string, ok bool)

// propertiesReaders are this package, and java.util.Properties where it can be had.
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

// readHOCON reads what a file has at paths: "=" and the value, or a letter as ReadHocon.java says; refused is why
// the file was.
type readHOCON func(tb fataler, src []byte, paths ...[]string) (values []string, refused string)

// lightbendReader is Lightbend's library, nil where it cannot be had.
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
