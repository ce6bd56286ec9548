package mime

import (
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/transform"
)

// decoderFor finds the decoder of a charset by the names that the web and IANA
// know. Of a charset that is not stated or not known, UTF-8 is taken for what
// it is and other octets for windows-1252, as mail clients do.
func decoderFor(charset string) transform.Transformer {
	charset = strings.ToLower(strings.Trim(charset, " \t\"'"))
	switch charset {
	case "", "us-ascii", "ascii", "unknown-8bit", "x-unknown", "default":
		return guess{}
	}
	if e := lookup(charset); e != nil && e != encoding.Replacement {
		return e.NewDecoder()
	}
	return guess{}
}

func lookup(charset string) encoding.Encoding {
	if e, err := htmlindex.Get(charset); err == nil {
		return e
	}
	e, err := ianaindex.MIME.Encoding(charset)
	if err != nil {
		return nil
	}
	return e
}

// toUTF8 turns octets of a charset into valid UTF-8.
func toUTF8(charset, octets string) string {
	if charset == "" && utf8.ValidString(octets) {
		return octets
	}
	s, _, err := transform.String(decoderFor(charset), octets)
	if err != nil {
		s, _, _ = transform.String(guess{}, octets)
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// UTF8 is Content of a text part turned into UTF-8 by its charset.
func (p *Part) UTF8(r io.ReaderAt) io.Reader {
	return transform.NewReader(p.Content(r), decoderFor(p.Params["charset"]))
}

// guess passes valid UTF-8 on and takes other octets for windows-1252.
type guess struct{ transform.NopResetter }

// Transform implements transform.Transformer.
func (guess) Transform(dst, src []byte, atEOF bool) (nDst, nSrc int, err error) {
	for nSrc < len(src) {
		r, n := utf8.DecodeRune(src[nSrc:])
		if r == utf8.RuneError && n == 1 {
			if !atEOF && !utf8.FullRune(src[nSrc:]) {
				return nDst, nSrc, transform.ErrShortSrc
			}
			r = charmap.Windows1252.DecodeByte(src[nSrc])
		}
		if nDst+utf8.RuneLen(r) > len(dst) {
			return nDst, nSrc, transform.ErrShortDst
		}
		nDst += utf8.EncodeRune(dst[nDst:], r)
		nSrc += n
	}
	return nDst, nSrc, nil
}
