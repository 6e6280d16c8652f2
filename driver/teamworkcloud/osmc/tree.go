package osmc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/printable"
)

// node is a place in a JSON answer. Answers are read place by place rather than into structs, because real servers
// deviate from their own specification, and an error has to name the member that could not be understood.
type node struct {
	v     any
	up    *node
	key   string // key in an object
	index int    // index in an array
}

// tree parses a whole answer.
func tree(answer []byte) (*node, error) {
	dec := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(answer, []byte("\ufeff"))))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, fmt.Errorf("reading JSON: %w", wording.Short(err))
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("reading JSON: something follows its end")
	}
	return &node{v: v}, nil
}

// path returns where the node is, for example "[3].createdDate".
func (n *node) path() string {
	if n.up == nil {
		return ""
	}
	if n.key == "" {
		return n.up.path() + "[" + strconv.Itoa(n.index) + "]"
	}
	return n.up.path() + "." + n.key
}

// wrong returns an error about this place. A text from the server comes last and uncut, because whoever shows the
// error looks for secrets in it before cutting it.
func (n *node) wrong(format string, args ...any) error {
	where := strings.TrimPrefix(n.path(), ".")
	if where == "" {
		where = "the answer"
	}
	return fmt.Errorf("%s %s", where, fmt.Sprintf(format, args...))
}

func (n *node) item(i int, v any) *node { return &node{v: v, up: n, index: i} }

// kind describes the node's type, for people.
func (n *node) kind() string {
	switch n.v.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case json.Number:
		return "a number"
	case string:
		return "a string"
	case []any:
		return "a list"
	}
	return "an object"
}

// member returns the first of the members that exists and is not null, or nil if there is none.
func (n *node) member(names ...string) *node {
	object, ok := n.v.(map[string]any)
	if !ok {
		return nil
	}
	for _, name := range names {
		if v := object[name]; v != nil {
			return &node{v: v, up: n, key: name}
		}
	}
	return nil
}

func (n *node) has(name string) bool {
	object, ok := n.v.(map[string]any)
	_, there := object[name]
	return ok && there
}

// members describes an object by the names of its members, for people.
func (n *node) members() string {
	object, ok := n.v.(map[string]any)
	if !ok {
		return n.kind()
	}
	var names []string
	for name := range object {
		names = append(names, name)
	}
	slices.Sort(names)
	if len(names) > 8 {
		names = append(names[:8], "…")
	}
	if len(names) == 0 {
		return "an empty object"
	}
	return "an object with " + strings.Join(names, ", ")
}

// mostItems is the maximum length of a list: each element becomes hundreds of bytes, and perhaps a request. Servers
// have some ten thousand resources, and resources as many revisions.
const mostItems = 500_000

// items returns the elements of a list. JSON-LD writes a list with one element as that element.
func (n *node) items() ([]*node, error) {
	switch v := n.v.(type) {
	case nil:
		return nil, n.wrong("is null, where a list was expected")
	case bool:
		return nil, n.wrong("is a boolean, where a list was expected")
	case []any:
		if len(v) > mostItems {
			return nil, n.wrong("has %d elements, and at most %d are read: is it the server that is meant?", len(v), mostItems)
		}
		out := make([]*node, len(v))
		for i := range v {
			out[i] = n.item(i, v[i])
		}
		return out, nil
	}
	return []*node{n}, nil
}

// list returns a list in an answer. That is the first of the members that exists, either on the object itself or on
// one part of a pair of a container and its body. Otherwise it is the answer itself, if that is an array. If there is
// no list, that is an error: an empty list must exist in the answer.
func (n *node) list(members ...string) ([]*node, error) {
	places := []*node{n}
	array, isArray := n.v.([]any)
	pair := n.isPair()
	if isArray {
		if !pair && (!allObjects(array) || n.item(0, array[0]).reference("") != "") {
			return n.items()
		}
		places = nil
		for i := range array {
			places = append(places, n.item(i, array[i]))
		}
	}
	for _, name := range members {
		for _, at := range places {
			if at.has(name) {
				return (&node{v: at.v.(map[string]any)[name], up: at, key: name}).items()
			}
		}
	}
	switch {
	case pair:
		return nil, n.wrong("has no %s", strings.Join(members, " or "))
	case isArray:
		return n.items()
	}
	return nil, n.wrong("has no %s: it is %s", strings.Join(members, " or "), n.members())
}

// isPair reports whether an array is a pair of a container and its body, which is one thing in two parts, rather than
// a list. In a list, each element has its own ID or is a container.
func (n *node) isPair() bool {
	array, _ := n.v.([]any)
	if !allObjects(array) {
		return false
	}
	first := n.item(0, array[0])
	return first.isContainer() && (first.reference("") == "" || len(array) == 2 && !n.item(1, array[1]).isContainer())
}

// allObjects reports whether an array is not empty and has only objects.
func allObjects(array []any) bool {
	return len(array) > 0 && !slices.ContainsFunc(array, func(v any) bool { _, ok := v.(map[string]any); return !ok })
}

// isContainer reports whether an object describes how a list is structured (a container of the Linked Data Platform).
func (n *node) isContainer() bool {
	return n.has("ldp:membershipResource") || n.has("ldp:hasMemberRelation")
}

// entity is one thing. Servers write it as an object, as an array that contains the object, or as a pair of a
// container and the object, so its members are looked for in all of these.
type entity struct {
	at      *node
	objects []*node // those with the most telling members first
}

// entityAt collects the objects at a place. Those with more of the telling members come first.
func entityAt(n *node, telling ...string) entity {
	e := entity{at: n}
	e.gather(n, 4)
	count := func(o *node) (sum int) {
		for _, name := range telling {
			if o.member(name) != nil {
				sum++
			}
		}
		return sum
	}
	slices.SortStableFunc(e.objects, func(a, b *node) int { return count(b) - count(a) })
	return e
}

func (e *entity) gather(n *node, depth int) {
	switch v := n.v.(type) {
	case map[string]any:
		e.objects = append(e.objects, n)
	case []any:
		if depth == 0 {
			return
		}
		for i := range v {
			e.gather(n.item(i, v[i]), depth-1)
		}
	}
}

// member returns the first of the names that one of the objects has, or nil if there is none.
func (e entity) member(names ...string) *node {
	for _, name := range names {
		for _, o := range e.objects {
			if m := o.member(name); m != nil {
				return m
			}
		}
	}
	return nil
}

// has reports whether a member exists, even if it is null.
func (e entity) has(name string) bool {
	return slices.ContainsFunc(e.objects, func(o *node) bool { return o.has(name) })
}

// gives reports whether one of the members has a plain value: a text, a number, or null for none.
func (e entity) gives(names ...string) bool {
	if m := e.member(names...); m != nil {
		_, ok := m.asText()
		return ok
	}
	return slices.ContainsFunc(names, e.has)
}

// missing returns the error that a required member is missing.
func (e entity) missing(what string) error { return e.at.wrong("has no %s: it is %s", what, e.shape()) }

func (e entity) shape() string {
	if len(e.objects) == 0 {
		return e.at.kind()
	}
	return e.objects[0].members()
}

// text returns the text of the first member that has one, or "" if there is none.
func (e entity) text(names ...string) string {
	for _, name := range names {
		if m := e.member(name); m != nil {
			if text, ok := m.asText(); ok {
				return text
			}
		}
	}
	return ""
}

// text returns the text of a member.
func (n *node) text(name string) (string, bool) {
	m := n.member(name)
	if m == nil {
		return "", false
	}
	return m.asText()
}

// asText returns a text or number, written alone or as JSON-LD's {"@value": …}.
func (n *node) asText() (string, bool) {
	switch v := n.v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case []any:
		if len(v) == 1 {
			return n.item(0, v[0]).asText()
		}
	case map[string]any:
		if m := n.member("@value"); m != nil {
			return m.asText()
		}
	}
	return "", false
}

// truth returns a member that is true or false, in any form. known is false if it is missing or neither.
func (e entity) truth(name string) (value, known bool) {
	m := e.member(name)
	if m == nil {
		return false, false
	}
	if b, ok := m.v.(bool); ok {
		return b, true
	}
	text, _ := m.asText()
	switch strings.ToLower(strings.Trim(text, ` ,"`)) { // the vendor's own example has "true,"
	case "true", "1", "yes":
		return true, true
	case "false", "0", "no":
		return false, true
	}
	return false, false
}

// whole returns the node as a whole number.
func (n *node) whole() (int, error) {
	text, ok := n.asText()
	if !ok {
		return 0, n.wrong("is %s, where a number was expected", n.kind())
	}
	number, ok := wholeNumber(text)
	if !ok {
		return 0, n.wrong("is not a whole number: %q", text)
	}
	return number, nil
}

// wholeNumber reads a whole number, for example "4", "4.0" or "4e0".
func wholeNumber(text string) (int, bool) {
	text = strings.TrimSpace(text)
	if i, err := strconv.Atoi(text); err == nil {
		return i, true
	}
	if len(text) == 0 || len(text) > 40 || strings.ContainsAny(text, "/xXpPoObB_") {
		return 0, false
	}
	f, _, err := big.ParseFloat(text, 10, 100, big.ToNearestEven)
	if err != nil || !f.IsInt() || f.MinPrec() > 62 {
		return 0, false
	}
	i, accuracy := f.Int64()
	return int(i), accuracy == big.Exact
}

// count returns a member that is a whole number of at least zero. A negative number, which servers use for "none", is
// 0. A missing member is 0, too.
func (e entity) count(names ...string) (int, error) {
	m := e.member(names...)
	if m == nil {
		return 0, nil
	}
	i, err := m.whole()
	return max(i, 0), err
}

// The kinds of things, which are the segments before an ID in a URL.
const (
	workspaces = "workspaces"
	resources  = "resources"
	branches   = "branches"
	revisions  = "revisions"
	tags       = "tags"
	roles      = "roles"
)

// id returns the ID of a thing of a kind. Servers write it as ID, as @id (a text, a URL, an object with an @id, or
// "#it" for "the subject of this document"), or only in the @base that @id is relative to. It returns "" if there is
// none.
func (e entity) id(kind string, names ...string) string {
	for _, m := range append(names, "ID", "id", "@id") {
		for _, o := range e.objects {
			if at := o.member(m); at != nil {
				if id := at.reference(kind); id != "" {
					return id
				}
			}
		}
	}
	for _, o := range e.objects {
		if base, ok := o.text("@base"); ok {
			if id := after(base, kind); id != "" {
				return id
			}
		}
	}
	return ""
}

// reference returns the ID that a place refers to: a text, a number, a URL, {"@id": …}, or a thing with its own ID.
// It returns "" if there is none.
func (n *node) reference(kind string) string {
	switch v := n.v.(type) {
	case string:
		return tail(v, kind)
	case json.Number:
		return v.String()
	case map[string]any, []any:
		e := entityAt(n, "ID", "@id")
		if len(e.objects) > 0 {
			return e.id(kind)
		}
		if array, ok := v.([]any); ok && len(array) == 1 {
			return n.item(0, array[0]).reference(kind)
		}
	}
	return ""
}

// tail returns the ID at the end of a URL, or the text itself if it is not a URL. It returns "" for what names
// nothing, such as "#it" and "../..".
func tail(text, kind string) string {
	text = strings.TrimPrefix(strings.TrimSpace(text), "urn:uuid:")
	if id := after(text, kind); id != "" {
		return id
	}
	path, fragment, _ := strings.Cut(text, "#")
	path, _, _ = strings.Cut(path, "?")
	segments := strings.Split(strings.TrimRight(path, "/"), "/")
	last := segments[len(segments)-1]
	if kind != "" && len(segments) > 1 && isKind(segments[len(segments)-2]) {
		return "" // a URL of a thing of another kind
	}
	if last == "" || last == "." || last == ".." || isKind(last) {
		last = fragment
	}
	if last == "it" {
		return ""
	}
	return unescaped(last)
}

// after returns the segment after a kind in a URL: X for branches in ".../branches/X/revisions/3".
func after(text, kind string) string {
	if kind == "" {
		return ""
	}
	text, _, _ = strings.Cut(text, "#")
	text, _, _ = strings.Cut(text, "?")
	segments := strings.Split(text, "/")
	for i := len(segments) - 2; i >= 0; i-- {
		if next := segments[i+1]; segments[i] == kind && next != "" && next != "." && next != ".." {
			return unescaped(next)
		}
	}
	return ""
}

func isKind(segment string) bool {
	return slices.Contains([]string{workspaces, resources, branches, revisions, tags, roles}, segment)
}

// unescaped returns the ID in a segment of a URL, or "" if it has line breaks and the like: it would write lines of its
// own into errors and logs.
func unescaped(segment string) string {
	if plain, err := url.PathUnescape(segment); err == nil {
		segment = plain
	}
	if segment != printable.Line(segment) {
		return ""
	}
	return segment
}
