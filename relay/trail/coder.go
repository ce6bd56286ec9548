package trail

import (
	"encoding/binary"
	"fmt"
)

// coder writes records and reads them: one and the same walk over the fields
// does both, so that the two cannot differ. Where enc is set it appends to p,
// else it takes from p.
//
// A text is a number, whose two lowest bits say what follows: 0 its octets, and
// the number their length; 1 a text that stood earlier in this record; 2 a word
// of the dictionary.
type coder struct {
	p    []byte
	enc  bool
	err  error
	seen []string // texts of this record that later ones may refer to

	dict *dictionary // when encoding
	list []word      // when decoding
	need bool        // a word was not known: the dictionary must be found
}

// How a text is looked for in the dictionary.
type source uint8

const (
	ours     source = iota // from configuration and program: learned at once
	usual                  // often the same: learned the second time
	foreign                // never looked for
	lookBack = 96          // how many texts of a record are remembered
)

func (c *coder) fail() {
	if c.err == nil {
		c.err = errEntry
	}
	c.p = nil
}

func (c *coder) next() uint64 {
	v, n := binary.Uvarint(c.p)
	if n <= 0 {
		c.fail()
		return 0
	}
	c.p = c.p[n:]
	return v
}

func (c *coder) take(n uint64) []byte {
	if n > uint64(len(c.p)) {
		c.fail()
		return nil
	}
	b := c.p[:n]
	c.p = c.p[n:]
	return b
}

// plain reads a text with its length before it.
func (c *coder) plain() string { return string(c.take(c.next())) }

// number codes a number that is not negative.
func (c *coder) number(v *uint64) {
	if c.enc {
		c.p = binary.AppendUvarint(c.p, *v)
		return
	}
	*v = c.next()
}

// signed codes any number.
func (c *coder) signed(v *int64) {
	if c.enc {
		c.p = binary.AppendVarint(c.p, *v)
		return
	}
	n, l := binary.Varint(c.p)
	if l <= 0 {
		c.fail()
		return
	}
	*v, c.p = n, c.p[l:]
}

func (c *coder) integer(v *int) {
	n := int64(*v)
	c.signed(&n)
	*v = int(n)
}

// flags codes up to 64 of them.
func (c *coder) flags(fs ...*bool) {
	var n uint64
	for i, f := range fs {
		if *f {
			n |= 1 << i
		}
	}
	c.number(&n)
	for i, f := range fs {
		*f = n&(1<<i) != 0
	}
}

// text codes a text.
func (c *coder) text(s *string, from source) {
	if c.enc {
		c.putText(*s, from)
		return
	}
	n := c.next()
	switch n & 3 {
	case 0:
		*s = string(c.take(n >> 2))
		c.remember(*s)
	case 1:
		if n>>2 >= uint64(len(c.seen)) {
			c.fail()
			return
		}
		*s = c.seen[n>>2]
	case 2:
		*s = c.word(n >> 2).text
	default:
		c.fail()
	}
}

func (c *coder) putText(s string, from source) {
	if len(s) > 2 {
		for i, old := range c.seen {
			if old == s {
				c.p = binary.AppendUvarint(c.p, uint64(i)<<2|1)
				return
			}
		}
	}
	if from != foreign {
		if n, ok := c.dict.text(s, from == ours); ok {
			c.p = binary.AppendUvarint(c.p, n<<2|2)
			return
		}
	}
	c.p = binary.AppendUvarint(c.p, uint64(len(s))<<2)
	c.p = append(c.p, s...)
	c.remember(s)
}

func (c *coder) remember(s string) {
	if len(s) > 2 && len(c.seen) < lookBack {
		c.seen = append(c.seen, s)
	}
}

// word is a word of the dictionary; where it is not known, what tells so.
func (c *coder) word(n uint64) word {
	if n < uint64(len(c.list)) && c.list[n].known() {
		return c.list[n]
	}
	c.need = true
	lost := fmt.Sprintf("(word %d)", n)
	return word{text: lost, rule: Line("", lost, "", "")}
}

// list codes how many there are, and each. Where it reads, what cannot be there
// is not made room for: each takes an octet.
func list[T any](c *coder, s *[]T, each func(*T)) {
	n := uint64(len(*s))
	c.number(&n)
	if !c.enc {
		if n > uint64(len(c.p)) {
			c.fail()
			return
		}
		if n > 0 {
			*s = make([]T, n)
		}
	}
	for i := range *s {
		each(&(*s)[i])
	}
}

// texts codes a list of texts.
func (c *coder) texts(s *[]string, from source) {
	list(c, s, func(s *string) { c.text(s, from) })
}
