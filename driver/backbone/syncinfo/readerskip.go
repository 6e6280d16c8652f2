package syncinfo

// skip skips the value at r.r, however large it is. It keeps at most one number or a piece of a string in memory.
func (r *Reader) skip() error {
	var objects [MaxDepth/64 + 1]uint64 // bit d: the container at depth d is an object
	for depth := 0; ; {
		c, err := r.peek()
		if err != nil {
			return err
		}
		switch {
		case r.ended():
			return r.fail(r.r, cutShort)
		case c == '{' || c == '[':
			if depth == MaxDepth {
				return r.fail(r.r, tooDeep)
			}
			depth++
			objects[depth>>6] &^= 1 << (depth & 63)
			if c == '{' {
				objects[depth>>6] |= 1 << (depth & 63)
			}
			r.r++
			empty, err := r.skipFirst(c)
			if err != nil {
				return err
			}
			if !empty {
				continue
			}
		default:
			if err := r.skipScalar(c); err != nil {
				return err
			}
		}
		// What was read is a value, or an empty container without its end.
		for {
			if depth == 0 {
				return nil
			}
			more, err := r.skipBetween(objects[depth>>6]>>(depth&63)&1 == 1)
			if err != nil {
				return err
			}
			if more {
				break
			}
			depth--
		}
	}
}

// skipFirst moves to the first value of a container that begins with open, unless it is empty.
func (r *Reader) skipFirst(open byte) (empty bool, err error) {
	c, err := r.peek()
	if err != nil || c == open+2 { // ']' and '}'
		return true, err
	}
	if open == '{' {
		err = r.skipName()
	}
	return false, err
}

// skipBetween moves to the next value of a container (more is true), or past its end.
func (r *Reader) skipBetween(object bool) (more bool, err error) {
	c, err := r.peek()
	if err != nil {
		return false, err
	}
	end := byte(']')
	if object {
		end = '}'
	}
	switch {
	case r.ended():
		return false, r.fail(r.r, cutShort)
	case c == end:
		r.r++
		return false, nil
	case c != ',':
		return false, r.fail(r.r, notJSON(missingComma(c, object), c))
	}
	r.r++
	if c, err = r.peek(); err != nil {
		return false, err
	}
	if c == end {
		return false, r.fail(r.r, notJSON("unexpected comma before %s", c))
	}
	if object {
		err = r.skipName()
	}
	return true, err
}

// skipName reads a member's name and its colon.
func (r *Reader) skipName() error {
	c, err := r.peek()
	switch {
	case err != nil:
		return err
	case r.ended():
		return r.fail(r.r, cutShort)
	case c != '"':
		return r.fail(r.r, notJSON("expected a member's name in double quotes, found %s", c))
	}
	if err := r.skipScalar(c); err != nil {
		return err
	}
	c, err = r.peek()
	switch {
	case err != nil:
		return err
	case r.ended():
		return r.fail(r.r, cutShort)
	case c != ':':
		return r.fail(r.r, notJSON("expected ':' after a member's name, found %s", c))
	}
	r.r++
	return nil
}

// skipScalar skips a string in pieces, or any other value but a container in one piece.
func (r *Reader) skipScalar(c byte) error {
	if c != '"' {
		end, err := r.need(r.s.value)
		r.r = end
		return err
	}
	for r.r++; ; {
		r.s.n = r.w
		if end := r.s.str(r.r); end >= 0 {
			r.r = end
			return nil
		}
		if r.eof || r.s.at+pad < r.w {
			return r.more()
		}
		r.r = r.s.unit
		if err := r.fill(); err != nil {
			return err
		}
	}
}
