package trail

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"net/netip"
	"sort"
	"time"
)

// What a fact can be, in a record. The numbers stand in files.
const (
	valueFalse byte = iota
	valueTrue
	valueText
	valueWhole
	valueFloat
	valueTexts
	valueIP
	valueDuration
	valueTime
)

// values codes the facts of a filter, in the order of their names.
func (c *coder) values(m *map[string]any) {
	if c.enc {
		c.putValues(*m)
		return
	}
	n := c.next()
	if n > uint64(len(c.p)) {
		c.fail()
		return
	}
	if n > 0 {
		*m = make(map[string]any, n)
	}
	for range n {
		var name string
		c.text(&name, ours)
		(*m)[name] = c.value()
	}
}

func (c *coder) putValues(m map[string]any) {
	var few [16]string
	names := few[:0]
	for name := range m {
		names = append(names, name)
	}
	sort.Strings(names)
	c.p = binary.AppendUvarint(c.p, uint64(len(names)))
	for _, name := range names {
		c.putText(name, ours)
		c.putValue(m[name])
	}
}

func (c *coder) putValue(v any) {
	switch v := v.(type) {
	case bool:
		if v {
			c.p = append(c.p, valueTrue)
		} else {
			c.p = append(c.p, valueFalse)
		}
	case string:
		c.p = append(c.p, valueText)
		c.putText(v, usual)
	case float64:
		c.putNumber(v)
	case []string:
		c.p = append(c.p, valueTexts)
		c.texts(&v, usual)
	case netip.Addr:
		b, _ := v.MarshalBinary() // it never fails
		c.p = append(c.p, valueIP, byte(len(b)))
		c.p = append(c.p, b...)
	case time.Duration:
		c.p = binary.AppendVarint(append(c.p, valueDuration), int64(v))
	case time.Time:
		c.p = binary.AppendVarint(append(c.p, valueTime), v.UnixMicro())
	default:
		c.p = append(c.p, valueText)
		c.putText(fmt.Sprint(v), usual)
	}
}

func (c *coder) putNumber(v float64) {
	if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
		c.p = binary.AppendVarint(append(c.p, valueWhole), int64(v))
		return
	}
	c.p = binary.LittleEndian.AppendUint64(append(c.p, valueFloat), math.Float64bits(v))
}

func (c *coder) value() any {
	kind := c.take(1)
	if kind == nil {
		return nil
	}
	var n int64
	switch kind[0] {
	case valueFalse, valueTrue:
		return kind[0] == valueTrue
	case valueText:
		var s string
		c.text(&s, usual)
		return s
	case valueWhole:
		c.signed(&n)
		return float64(n)
	case valueFloat:
		if b := c.take(8); b != nil {
			return math.Float64frombits(binary.LittleEndian.Uint64(b))
		}
	case valueTexts:
		s := []string{}
		c.texts(&s, usual)
		return s
	case valueIP:
		var a netip.Addr
		if a.UnmarshalBinary(c.take(c.next())) == nil {
			return a
		}
	case valueDuration:
		c.signed(&n)
		return time.Duration(n)
	case valueTime:
		c.signed(&n)
		return time.UnixMicro(n).UTC()
	}
	c.fail()
	return nil
}

// MarshalJSON writes values as people read them: a duration in words, since a
// number would not say of what, and a number that JSON has not as its name.
func (f Fact) MarshalJSON() ([]byte, error) {
	type plain Fact // without this method
	p := plain(f)
	if len(f.Values) > 0 {
		p.Values = make(map[string]any, len(f.Values))
	}
	for k, v := range f.Values {
		switch x := v.(type) {
		case time.Duration:
			v = x.String()
		case float64:
			if math.IsNaN(x) || math.IsInf(x, 0) {
				v = fmt.Sprint(x)
			}
		}
		p.Values[k] = v
	}
	return json.Marshal(p)
}
