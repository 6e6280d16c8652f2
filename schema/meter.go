package schema

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/syncctl/syncctl/schema/functions"
	"github.com/zclconf/go-cty/cty"
)

// Limits of evaluation. No configuration written by a person comes near them.
const (
	maxText   = 1 << 20 // in units of textUnit bytes
	textUnit  = functions.Unit
	maxExp    = 4096 // of the binary exponent; the digits of larger numbers would fill the memory
	maxDigits = 1500
)

var errNumber = errors.New("the number is too large, or too close to zero, to be written in digits")

// meter limits what one Load evaluates.
type meter struct {
	ctx  context.Context
	most int64 // of values and text together, see Room; 0 means that of Usual
	used weight
	more int64     // extra limit for a large configuration: one for each of its bytes
	err  error     // once set, nothing more is evaluated
	at   hcl.Range // where err occurred

	keyed  cty.ValueMarks // of sensitive keys by which the expression looks something up
	hinted int64          // letters that were compared, see loader.nearest
}

// weight is what evaluation makes: values that are created or visited, and text in units of textUnit bytes. A large
// configuration has many values. A few expressions can make much text of small ones.
type weight struct{ values, text int64 }

// again returns a meter with the same limits that has counted nothing.
func (m *meter) again(ctx context.Context) *meter {
	return &meter{ctx: ctx, most: m.most, more: m.more}
}

// visit counts values before they are created, or when they are visited; also work that takes as long.
func (m *meter) visit(n int64) error { return m.count(weight{values: n}) }

// text counts bytes of text before they are made.
func (m *meter) text(bytes int) error { return m.count(weight{text: int64(bytes / textUnit)}) }

// count counts both. Beyond the limits it sets err.
func (m *meter) count(w weight) error {
	if m.err != nil {
		return m.err
	}
	m.used.values += w.values
	m.used.text += w.text
	all, text := cmp.Or(m.most, Usual.values)+m.more, maxText+m.more
	switch {
	case w.values < 0, w.text < 0, m.used.text > text, m.used.values+m.used.text > all:
		m.err = fmt.Errorf("this makes too many values, or too much text: at most %d values, or %d MiB of text, are made "+
			"in one configuration of this size", all, text*textUnit>>20)
	case context.Cause(m.ctx) != nil:
		m.err = fmt.Errorf("evaluation was ended: %w", context.Cause(m.ctx))
	}
	return m.err
}

// weigh counts a value and everything inside of it, repeated values each time, and refuses enormous numbers.
func (m *meter) weigh(v cty.Value) error {
	if v == cty.NilVal {
		return nil
	}
	v, _ = v.Unmark()
	if err := m.visit(1); err != nil || v.IsNull() || !v.IsKnown() {
		return err
	}
	switch ty := v.Type(); {
	case ty == cty.String:
		return m.text(len(v.AsString()))
	case ty == cty.Number:
		exp := v.AsBigFloat().MantExp(nil)
		if exp > maxExp || exp < -maxExp {
			m.err = errNumber
			return m.err
		}
		return m.visit(int64(max(exp, -exp) / 100))
	case v.CanIterateElements():
		if ty.IsSetType() { // iterating sorts it
			if err := m.visit(functions.Sorting(int64(v.LengthInt()))); err != nil {
				return err
			}
		}
		for it := v.ElementIterator(); it.Next(); {
			key, elem := it.Element()
			if ty.IsMapType() || ty.IsObjectType() {
				if err := m.text(len(key.AsString())); err != nil {
					return err
				}
			}
			if err := m.weigh(elem); err != nil {
				return err
			}
		}
	}
	return nil
}

// evaluate evaluates an expression within the limits. A dry run checks each part before it is used, so that excessive
// values are refused before they are created.
func (l *loader) evaluate(expr hcl.Expression, ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	if l.meter.err == nil {
		l.meter.at = expr.Range()
		if val, ok := literal(expr); ok && l.meter.weigh(val) == nil {
			return val, nil
		}
	}
	rng := expr.Range()
	l.now.Store(&rng)
	flow := l.flow
	l.meter.keyed = nil
	var known weight
	if l.meter.err == nil {
		known = l.meter.preview(expr, ctx)
	}
	var val cty.Value
	var diags hcl.Diagnostics
	if l.meter.err == nil {
		if val, diags = expr.Value(ctx); !diags.HasErrors() {
			l.meter.keep(val, known)
		}
	}
	if l.meter.err == nil {
		if len(l.meter.keyed) > 0 {
			val = val.WithMarks(l.meter.keyed)
		}
		if len(diags) > 0 && l.reached(expr, ctx, flow) {
			for _, d := range diags {
				discreetly(d, ctx)
			}
		}
		return val, diags
	}
	d := problem(l.meter.at, "Too much to evaluate", "Evaluation ends here: %s.", l.meter.err)
	if errors.Is(l.meter.err, errNumber) { // concerns this expression only
		d = problem(l.meter.at, "Number out of range", "It cannot be used: %s.", l.meter.err)
		l.meter.err = nil
	}
	return cty.DynamicVal, hcl.Diagnostics{d}
}

// literal returns the value of an expression that is a value by itself, as the parser has made it.
func literal(expr hcl.Expression) (cty.Value, bool) {
	if text, ok := expr.(*hclsyntax.TemplateExpr); ok && text.IsStringLiteral() {
		expr = text.Parts[0]
	}
	lit, ok := expr.(*hclsyntax.LiteralValueExpr)
	if !ok {
		return cty.NilVal, false
	}
	return lit.Val, true
}

// preview evaluates an expression part by part. It ignores errors. It returns what the whole value weighs, or zero if
// it has not weighed that.
func (m *meter) preview(expr hcl.Expression, ctx *hcl.EvalContext) (whole weight) {
	eachNative(expr, func(text cty.Value) bool { return m.weigh(text) == nil && ctx != nil },
		func(e hclsyntax.Expression) {
			part := m.watch(e)
			if part == e {
				return
			}
			_, _ = part.Value(ctx)
			if w, ok := part.(*watched); ok && expr == hcl.Expression(e) {
				whole = w.weight
			}
		})
	return whole
}

// keep counts a value that stays in memory. Its weight is given if preview knows it: to weigh a set means to sort it.
func (m *meter) keep(v cty.Value, known weight) {
	if known != (weight{}) {
		_ = m.count(known)
		return
	}
	_ = m.weigh(v)
}

// eachNative calls visit for an expression in the native syntax. JSON hides the parts of an expression, so there it
// calls visit for the template in each text. Before that, it calls take for each literal JSON value, and skips the
// value if take returns false.
func eachNative(expr hcl.Expression, take func(cty.Value) bool, visit func(hclsyntax.Expression)) {
	if native, ok := expr.(hclsyntax.Expression); ok {
		visit(native)
		return
	}
	if list, ok := expr.(interface{ ExprList() []hcl.Expression }); ok {
		for _, e := range list.ExprList() {
			eachNative(e, take, visit)
		}
	}
	if pairs, ok := expr.(interface{ ExprMap() []hcl.KeyValuePair }); ok {
		for _, p := range pairs.ExprMap() {
			eachNative(p.Key, take, visit)
			eachNative(p.Value, take, visit)
		}
	}
	text, diags := expr.Value(nil) // without a context, JSON returns texts literally
	if diags.HasErrors() || !take(text) || text.Type() != cty.String || text.IsNull() {
		return
	}
	src := []byte(text.AsString())
	if parsed, diags := hclsyntax.ParseTemplate(src, expr.Range().Filename, hcl.InitialPos); !diags.HasErrors() {
		visit(parsed)
	}
}

// watched is an expression whose evaluation is counted.
type watched struct {
	hclsyntax.Expression

	meter  *meter
	weight weight // of its value, if it has one
}

// Value first evaluates and counts the parts of the expression.
func (w *watched) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	if w.meter.visit(1) != nil {
		return w.failed()
	}
	part := func(e *hclsyntax.Expression) bool {
		val, diags := (*e).Value(ctx)
		if diags.HasErrors() {
			return w.meter.err == nil
		}
		*e = &hclsyntax.LiteralValueExpr{Val: val, SrcRange: (*e).Range()}
		return w.meter.weigh(val) == nil
	}
	ok := true
	expr := w.Expression
	switch e := expr.(type) {
	case *hclsyntax.TemplateExpr:
		c := *e
		c.Parts = append([]hclsyntax.Expression(nil), e.Parts...)
		for i := range c.Parts {
			ok = ok && part(&c.Parts[i])
		}
		expr = &c
	case *hclsyntax.ConditionalExpr:
		c := *e
		ok, expr = part(&c.TrueResult) && part(&c.FalseResult) && w.unify(c.TrueResult, c.FalseResult), &c
	case *hclsyntax.ForExpr:
		c := *e
		ok, expr = part(&c.CollExpr), &c
	case *hclsyntax.SplatExpr:
		c := *e
		ok, expr = part(&c.Source), &c
	case *hclsyntax.BinaryOpExpr:
		c := *e
		ok, expr = part(&c.LHS) && part(&c.RHS) && w.numbers(e.Op.Impl.Params()[0].Type, c.LHS, c.RHS), &c
	case *hclsyntax.UnaryOpExpr:
		c := *e
		ok, expr = part(&c.Val) && w.numbers(e.Op.Impl.Params()[0].Type, c.Val), &c
	case *hclsyntax.IndexExpr:
		c := *e
		ok, expr = part(&c.Key) && w.numbers(cty.Number, c.Key), &c
		if lit, known := c.Key.(*hclsyntax.LiteralValueExpr); known && IsSensitive(lit.Val) {
			if w.meter.keyed == nil {
				w.meter.keyed = cty.ValueMarks{}
			}
			gather(w.meter.keyed, lit.Val)
		}
	}
	if !ok {
		return w.failed()
	}
	val, diags := expr.Value(ctx)
	before := w.meter.used
	if w.meter.err != nil || !diags.HasErrors() && w.meter.weigh(val) != nil {
		return w.failed()
	}
	w.weight = weight{w.meter.used.values - before.values, w.meter.used.text - before.text}
	return val, diags
}

// unify charges for making one type of two: the types of all elements are then compared with each other.
func (w *watched) unify(a, b hclsyntax.Expression) bool {
	x, known := a.(*hclsyntax.LiteralValueExpr)
	y, both := b.(*hclsyntax.LiteralValueExpr)
	if known && both && !x.Val.Type().Equals(y.Val.Type()) {
		_ = w.meter.visit((pairs(x.Val.Type())+pairs(y.Val.Type()))/pairUnit +
			functions.Unifying([]cty.Type{x.Val.Type(), y.Val.Type()}))
	}
	return w.meter.err == nil
}

// pairUnit is the number of pairs of types that count as much as one value.
const pairUnit = 1000

// pairs returns how many pairs of types are in a type, on each level.
func pairs(ty cty.Type) int64 {
	var in []cty.Type
	switch {
	case ty.IsCollectionType():
		return pairs(ty.ElementType())
	case ty.IsTupleType():
		in = ty.TupleElementTypes()
	case ty.IsObjectType():
		in = slices.Collect(maps.Values(ty.AttributeTypes()))
	}
	n := functions.Product(int64(len(in)), int64(len(in)))
	for _, elem := range in {
		n = min(functions.TooMuch, n+pairs(elem))
	}
	return n
}

// numbers refuses texts that an operation would have to read digit by digit.
func (w *watched) numbers(want cty.Type, operands ...hclsyntax.Expression) bool {
	for _, o := range operands {
		if lit, ok := o.(*hclsyntax.LiteralValueExpr); ok && want == cty.Number && longDigits(lit.Val) != nil {
			w.meter.err = errNumber
		}
	}
	return w.meter.err == nil
}

// keys refuses keys of elements that would have to be read digit by digit.
func (m *meter) keys(t hcl.Traversal) {
	if longKey(t) && m.err == nil {
		m.err = errNumber
	}
}

func longKey(t hcl.Traversal) bool {
	for _, step := range t {
		if index, ok := step.(hcl.TraverseIndex); ok && longDigits(index.Key) != nil {
			return true
		}
	}
	return false
}

func (w *watched) failed() (cty.Value, hcl.Diagnostics) {
	return cty.DynamicVal, hcl.Diagnostics{problem(w.Range(), "Too much to evaluate", "%s.", w.meter.err)}
}

func (m *meter) watchAll(list []hclsyntax.Expression) []hclsyntax.Expression {
	out := make([]hclsyntax.Expression, len(list))
	for i, e := range list {
		out[i] = m.watch(e)
	}
	return out
}

// watch copies an expression, with everything in it that creates values wrapped as watched.
func (m *meter) watch(expr hclsyntax.Expression) hclsyntax.Expression { //nolint:funlen // a case for each kind
	switch e := expr.(type) {
	case *hclsyntax.LiteralValueExpr:
		_ = m.weigh(e.Val)
		return e
	case *hclsyntax.TemplateExpr:
		if e.IsStringLiteral() {
			m.watch(e.Parts[0])
			return e
		}
		c := *e
		c.Parts = m.watchAll(e.Parts)
		expr = &c
	case *hclsyntax.TemplateJoinExpr:
		expr = &hclsyntax.TemplateJoinExpr{Tuple: m.watch(e.Tuple)}
	case *hclsyntax.TemplateWrapExpr:
		return &hclsyntax.TemplateWrapExpr{Wrapped: m.watch(e.Wrapped), SrcRange: e.SrcRange}
	case *hclsyntax.ParenthesesExpr:
		return &hclsyntax.ParenthesesExpr{Expression: m.watch(e.Expression), SrcRange: e.SrcRange}
	case *hclsyntax.FunctionCallExpr:
		c := *e
		c.Args = m.watchAll(e.Args)
		expr = &c
	case *hclsyntax.ConditionalExpr:
		c := *e
		c.Condition, c.TrueResult, c.FalseResult = m.watch(e.Condition), m.watch(e.TrueResult), m.watch(e.FalseResult)
		expr = &c
	case *hclsyntax.IndexExpr:
		c := *e
		c.Collection, c.Key = m.watch(e.Collection), m.watch(e.Key)
		expr = &c
	case *hclsyntax.RelativeTraversalExpr:
		c := *e
		c.Source = m.watch(e.Source)
		m.keys(e.Traversal)
		expr = &c
	case *hclsyntax.TupleConsExpr:
		c := *e
		c.Exprs = m.watchAll(e.Exprs)
		expr = &c
	case *hclsyntax.ObjectConsExpr:
		c := *e
		c.Items = make([]hclsyntax.ObjectConsItem, len(e.Items))
		for i, item := range e.Items {
			c.Items[i] = hclsyntax.ObjectConsItem{KeyExpr: m.watch(item.KeyExpr), ValueExpr: m.watch(item.ValueExpr)}
		}
		expr = &c
	case *hclsyntax.ObjectConsKeyExpr:
		c := *e
		if _, name := e.Wrapped.(*hclsyntax.ScopeTraversalExpr); !name || e.ForceNonLiteral {
			c.Wrapped = m.watch(e.Wrapped)
		}
		return &c
	case *hclsyntax.ForExpr:
		c := *e
		c.CollExpr, c.ValExpr = m.watch(e.CollExpr), m.watch(e.ValExpr)
		if e.KeyExpr != nil {
			c.KeyExpr = m.watch(e.KeyExpr)
		}
		if e.CondExpr != nil {
			c.CondExpr = m.watch(e.CondExpr)
		}
		expr = &c
	case *hclsyntax.SplatExpr:
		c := *e
		c.Source, c.Each = m.watch(e.Source), m.watch(e.Each)
		expr = &c
	case *hclsyntax.BinaryOpExpr:
		c := *e
		c.LHS, c.RHS = m.watch(e.LHS), m.watch(e.RHS)
		expr = &c
	case *hclsyntax.UnaryOpExpr:
		c := *e
		c.Val = m.watch(e.Val)
		expr = &c
	case *hclsyntax.ScopeTraversalExpr:
		m.keys(e.Traversal)
		return e
	default: // what the parser could not read
		return expr
	}
	return &watched{Expression: expr, meter: m}
}
