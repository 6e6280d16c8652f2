package schema

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// IgnoredDrift is a difference on a server that is not to be reported for a while (ignore_drift).
type IgnoredDrift struct {
	Argument string // a path, with dots; "" for the whole declaration
	Reason   string
	Until    time.Time // its end: the first moment at which it no longer applies
	Range    hcl.Range
}

// Covers reports whether the difference at a path is ignored: that of the argument itself, or of an argument inside of
// it.
func (i *IgnoredDrift) Covers(path string) bool {
	return i.Argument == "" || path == i.Argument || strings.HasPrefix(path, i.Argument+".")
}

// Day returns the last day on which it applies, as written in the block.
func (i *IgnoredDrift) Day() string { return i.Until.AddDate(0, 0, -1).Format(time.DateOnly) }

// ignoreDriftName is the type of the block in lifecycle.
const ignoreDriftName = "ignore_drift"

// ignoredDriftBody is the grammar of an ignore_drift block.
var ignoredDriftBody = Body{Attributes: []Attribute{
	{Name: "argument", Type: cty.String, Doc: "Which argument, such as \"status\" or \"field.summary\". Without it: all " +
		"of the declaration."},
	{Name: "reason", Type: cty.String, Required: true, Doc: "Why. It is shown beside what is ignored."},
	{Name: "until", Type: cty.String, Required: true, Doc: "The last day on which it is ignored, in UTC: \"2027-01-31\"."},
}}

// ignoreDrift is an ignore_drift block before it is evaluated.
type ignoreDrift struct {
	rng   hcl.Range
	attrs hcl.Attributes
}

// collectIgnoreDrift reads an ignore_drift block of a declaration.
func (l *loader) collectIgnoreDrift(n *node, b *hcl.Block) {
	content := l.content(b.Body, ignoredDriftBody.scope("in an ignore_drift block"))
	missing := false
	for _, a := range ignoredDriftBody.Attributes {
		if a.Required && content.Attributes[a.Name] == nil {
			missing = true
			l.add(problem(b.DefRange, "Missing required argument", "The argument %q is required in an ignore_drift block.",
				a.Name))
		}
	}
	if !missing {
		n.decl.life.ignoreDrift = append(n.decl.life.ignoreDrift, ignoreDrift{b.DefRange, content.Attributes})
	}
}

// ignoredDrift evaluates the ignore_drift blocks of a declaration.
func (l *loader) ignoredDrift(d *decl, f frame) []IgnoredDrift {
	var out []IgnoredDrift
	for _, b := range d.life.ignoreDrift {
		i, valid := IgnoredDrift{Range: b.rng}, true
		text := map[string]string{}
		for _, name := range slices.Sorted(maps.Keys(b.attrs)) {
			if l.bad[b.attrs[name]] {
				valid = false
				continue
			}
			var ok bool
			text[name], ok = l.plainText(b.attrs[name], f)
			valid = valid && ok
		}
		if !valid {
			continue
		}
		i.Argument, i.Reason = text["argument"], text["reason"]
		if first, _, _ := strings.Cut(i.Argument, "."); b.attrs["argument"] != nil &&
			!slices.Contains(d.typ.Body.words(), first) {
			l.add(problem(b.attrs["argument"].Expr.Range(), "Unknown argument", "%s %q has no argument or block %q.%s",
				d.addr.Kind, d.typ.Name, first, didYouMean(first, d.typ.Body.words())))
			continue
		}
		if strings.TrimSpace(i.Reason) == "" {
			l.add(problem(b.attrs["reason"].Expr.Range(), "Missing reason", "Say why the drift is ignored: whoever comes "+
				"after you has to decide about it at its end."))
			continue
		}
		day, err := time.Parse(time.DateOnly, text["until"])
		if err != nil {
			l.add(problem(b.attrs["until"].Expr.Range(), "Invalid day", "The argument \"until\" is a day, such as "+
				"\"2027-01-31\"."))
			continue
		}
		i.Until = day.AddDate(0, 0, 1)
		out = append(out, i)
	}
	return out
}

// plainText evaluates an argument that must be a known text and not sensitive.
func (l *loader) plainText(attr *hcl.Attribute, f frame) (string, bool) {
	ctx := l.context(attr.Expr, f)
	val, diags := l.value(attr.Expr, ctx)
	l.add(diags...)
	if diags.HasErrors() {
		return "", false
	}
	val, err := convert.Convert(val, cty.String)
	if err != nil || val.IsNull() || val.IsMarked() || !val.IsKnown() {
		l.add(l.inContext(problem(attr.Expr.Range(), "Invalid value",
			"The argument %q is a text that is known and not sensitive.", attr.Name), attr.Expr, ctx))
		return "", false
	}
	return val.AsString(), true
}

// words returns the names of a body's arguments and blocks.
func (b *Body) words() []string {
	out := b.names()
	for i := range b.Blocks {
		out = append(out, b.Blocks[i].Name)
	}
	return out
}
