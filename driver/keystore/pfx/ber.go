package pfx

import (
	"errors"
	"fmt"
)

// Some programs write PKCS#12 in BER: with indefinite lengths, and strings in pieces. encoding/asn1 reads only DER.

const (
	maxDepth = 32

	tagOctets      = 0x04
	tagOctetPieces = 0x24
	constructed    = 0x20
	indefinite     = -1
)

var errCutOff = errors.New("it ends in the middle of a value")

// toDER rewrites the first value of ber with definite lengths in their shortest form, and octet strings in one piece.
// It also returns what follows the value. The content of octet strings is not rewritten.
func (b *budget) toDER(ber []byte) (der, rest []byte, err error) { return b.derValue(ber, maxDepth) }

func (b *budget) derValue(ber []byte, depth int) (der, rest []byte, err error) {
	if b.values++; b.values > maxValues {
		return nil, nil, fmt.Errorf("%w: it has more than %d values, which no program writes", ErrCostly, maxValues)
	}
	tag, length, content, err := header(ber)
	if err != nil {
		return nil, nil, err
	}
	if depth == 0 {
		return nil, nil, errors.New("values lie too deep within each other")
	}
	if length != indefinite {
		if length > len(content) {
			return nil, nil, fmt.Errorf("%w: %d bytes of %d are there", errCutOff, len(ber), len(ber)-len(content)+length)
		}
		content, rest = content[:length], content[length:]
	}
	if tag[0]&constructed == 0 {
		return tlv(tag, content), rest, nil
	}
	var inner []byte
	for {
		if length != indefinite && len(content) == 0 {
			break
		}
		if length == indefinite && len(content) >= 2 && content[0] == 0 && content[1] == 0 {
			rest = content[2:]
			break
		}
		var piece []byte
		if piece, content, err = b.derValue(content, depth-1); err != nil {
			return nil, nil, err
		}
		if tag[0] == tagOctetPieces {
			t, _, text, err := header(piece)
			if err != nil || t[0] != tagOctets {
				return nil, nil, errors.New("a string has pieces that are not strings")
			}
			piece = text
		}
		inner = append(inner, piece...)
	}
	if tag[0] == tagOctetPieces {
		return tlv([]byte{tagOctets}, inner), rest, nil
	}
	return tlv(tag, inner), rest, nil
}

// header splits tag and length from a value.
func header(b []byte) (tag []byte, length int, content []byte, err error) {
	if len(b) == 0 {
		return nil, 0, nil, errCutOff
	}
	n := 1
	if b[0]&0x1f == 0x1f {
		for n < len(b) && n < 5 && b[n]&0x80 != 0 {
			n++
		}
		n++
	}
	if n >= len(b) {
		return nil, 0, nil, errCutOff
	}
	tag, first, content := b[:n], b[n], b[n+1:]
	switch {
	case first < 0x80:
		return tag, int(first), content, nil
	case first == 0x80 && tag[0]&constructed != 0:
		return tag, indefinite, content, nil
	case first == 0x80 || first > 0x84:
		return nil, 0, nil, errors.New("a length cannot be read")
	}
	digits := int(first & 0x7f)
	if digits > len(content) {
		return nil, 0, nil, errCutOff
	}
	var size int64
	for _, d := range content[:digits] {
		size = size<<8 | int64(d)
	}
	if size > 1<<30 {
		return nil, 0, nil, errors.New("a length is beyond all measure")
	}
	return tag, int(size), content[digits:], nil
}

// tlv puts tag and length before a content.
func tlv(tag, content []byte) []byte {
	out := append(make([]byte, 0, len(tag)+5+len(content)), tag...)
	n := len(content)
	switch {
	case n < 0x80:
		out = append(out, byte(n))
	case n < 1<<8:
		out = append(out, 0x81, byte(n))
	case n < 1<<16:
		out = append(out, 0x82, byte(n>>8), byte(n))
	case n < 1<<24:
		out = append(out, 0x83, byte(n>>16), byte(n>>8), byte(n))
	default:
		out = append(out, 0x84, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	return append(out, content...)
}
