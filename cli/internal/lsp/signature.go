package lsp

import (
	"context"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/syncctl/syncctl/cli/internal/lsp/source"
	"github.com/syncctl/syncctl/schema/functions"
)

// signature returns the signature of the function whose arguments are being typed, or nil if there is none.
func (v *view) signature(_ context.Context, p *positionParams) (*signatureHelp, error) {
	f := v.document(p.TextDocument)
	if f == nil {
		return nil, nil
	}
	at := f.text.Offset(p.Position, v.enc)
	place := v.placeAt(f, at)
	i := len(place.Outer) - 1
	for i >= 0 && place.Outer[i].Kind != 'f' {
		i--
	}
	if i < 0 {
		return nil, nil
	}
	fn := functions.Find(place.Outer[i].Function)
	if fn == nil {
		return nil, nil
	}
	sig := signatureInformation{Documentation: markdown(fn.Summary), Parameters: []parameterInformation{}}
	params := slices.Clone(fn.Func.Params())
	rest := fn.Func.VarParam()
	if rest != nil {
		params = append(params, *rest)
	}
	var labels []string
	for n, param := range params {
		label := param.Name + " " + typeexpr.TypeString(functions.Type(param))
		if rest != nil && n == len(params)-1 {
			label = param.Name + "... " + typeexpr.TypeString(functions.Type(param))
		}
		labels = append(labels, label)
		info := parameterInformation{Label: label}
		if param.Description != "" {
			info.Documentation = markdown(param.Description)
		}
		sig.Parameters = append(sig.Parameters, info)
	}
	sig.Label = fn.Name + "(" + strings.Join(labels, ", ") + ") " + typeexpr.TypeString(fn.Returns())
	active := place.Outer[i].Index
	if rest != nil {
		active = min(active, len(params)-1)
	}
	return &signatureHelp{Signatures: []signatureInformation{sig}, ActiveParameter: active}, nil
}

// placeAt returns the place at an offset of a file.
func (v *view) placeAt(f *file, at int) *source.Place {
	if f.json {
		return source.AtJSON(f.text.Source, at, v.inJSON(f.kind))
	}
	return source.At(f.text.Source, at, topWords(f.kind))
}
