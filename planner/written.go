package planner

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
)

// decodeWritten reads a plan that a holder of the key has authenticated and encoded, if nobody has changed a byte of it
// since. The bytes prove that, so the plan need not be marshalled again to be compared with them. For any other text it
// returns nil, even if that is a plan: see decode.
func decodeWritten(text, key []byte) *Plan {
	mac := macOfWritten(text, key)
	if mac == "" {
		return nil
	}
	p := withRoom(text)
	if p.decodeMembers(text) != nil || p.Format != Format || p.checkSteps() != nil {
		return nil // a program of another version has written it
	}
	if slices.ContainsFunc(p.Sites, func(s PlanSite) bool { return s.Observed != nil }) {
		return nil // its hash, which the MAC does not cover, is not made of all of the text
	}
	p.MAC = mac
	return p
}

// macOfWritten returns the MAC of a text that a holder of the key has authenticated and encoded, and "" for any other.
func macOfWritten(text, key []byte) string {
	if key == nil {
		return ""
	}
	end := max(0, len(text)-len(newSums(key).ending()))
	if s := sumsOf(text[:end], key); hmac.Equal(s.ending(), text[end:]) {
		return hex.EncodeToString(s.mac.Sum(nil))
	}
	return ""
}

// sumsOf returns the sums of a plan from the part of its text that says what is in it. The sums of anything else are of
// no plan.
func sumsOf(text, key []byte) sums {
	const digest, keyed = ",\n  \"digest\": ", ",\n  \"secrets\": \"" // the members Digest and Secrets
	s := newSums(key)
	all := io.MultiWriter(s.seal, s.mac)
	from, to := max(0, bytes.Index(text, []byte(digest))), len(text)
	if at := to - len(keyed) - hexLen - len(`"`); at > from && bytes.HasPrefix(text[at:], []byte(keyed)) {
		to = at
	}
	compact(all, text[:from])
	fmt.Fprintf(s.hash, `{"format":%d,"syncctl":""`, Format) // see said
	compact(io.MultiWriter(all, s.hash), text[from:to])
	compact(all, text[to:])
	compact(io.MultiWriter(all, s.hash), []byte("}"))
	return s
}

const hexLen = 2 * sha256.Size

// compact writes what marshalling writes of a plan, for the text that Encode has written of it. The result for two
// texts is the same only if they differ in nothing but spaces between tokens, and in how characters are escaped.
func compact(w io.Writer, text []byte) {
	const piece = 32 << 10
	b := make([]byte, 0, piece+1<<10)
	for len(text) > 0 {
		n := 1
		switch text[0] {
		case ' ', '\n':
			text = text[1:]
			continue
		case '"':
			n = textLen(text)
		}
		if b, text = append(b, text[:n]...), text[n:]; len(b) > piece || len(text) == 0 {
			_, _ = w.Write(asMarshalled(b)) // a hash, which takes everything
			b = b[:0]
		}
	}
	_, _ = w.Write(asMarshalled(b))
}

// decodeMembers decodes the members of a plan from its document, one element of a list at a time. It fails if the
// document has a member that a plan has not.
func (p *Plan) decodeMembers(text []byte) error {
	fields := map[string]reflect.Value{}
	for field, v := range reflect.ValueOf(p).Elem().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		fields[name] = v
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	_, err := dec.Token() // the opening brace
	for err == nil {
		var name json.Token
		if name, err = dec.Token(); err != nil || name == "hash" { // what follows the plan
			break
		}
		if v, ok := fields[fmt.Sprint(name)]; !ok {
			err = fmt.Errorf("a plan has no %q", name)
		} else if v.Kind() == reflect.Slice {
			err = decodeList(dec, v)
		} else {
			err = dec.Decode(v.Addr().Interface())
		}
	}
	return err
}

func decodeList(dec *json.Decoder, list reflect.Value) error {
	begin, err := dec.Token()
	if err != nil || begin == nil { // null
		return err
	}
	if list.IsNil() {
		list.Set(reflect.MakeSlice(list.Type(), 0, 0))
	}
	for n := 0; dec.More(); n++ {
		if n == list.Cap() {
			list.Grow(max(n, 1)) // growing in small steps takes long
		}
		list.SetLen(n + 1)
		if err := dec.Decode(list.Index(n).Addr().Interface()); err != nil {
			return err
		}
	}
	_, err = dec.Token() // the closing bracket
	return err
}
