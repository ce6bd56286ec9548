package wire

import (
	"encoding/base64"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// utf7 is the modified base64 of RFC 3501 section 5.1.3.
var utf7 = base64.NewEncoding("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,").
	WithPadding(base64.NoPadding).Strict()

// EncodeUTF7 writes a mailbox name in modified UTF-7.
func EncodeUTF7(name string) string {
	var b strings.Builder
	for i := 0; i < len(name); {
		if c := name[i]; c >= ' ' && c <= '~' {
			b.WriteByte(c)
			if c == '&' {
				b.WriteByte('-')
			}
			i++
			continue
		}
		j := i
		for j < len(name) && (name[j] < ' ' || name[j] > '~') {
			j++
		}
		b.WriteString("&" + utf7.EncodeToString(utf16Bytes(name[i:j])) + "-")
		i = j
	}
	return b.String()
}

func utf16Bytes(s string) []byte {
	us := utf16.Encode([]rune(s))
	b := make([]byte, 0, 2*len(us))
	for _, u := range us {
		b = append(b, byte(u>>8), byte(u))
	}
	return b
}

// DecodeUTF7 reads a mailbox name in modified UTF-7. It takes one form of each
// name only, so that two spellings are never one mailbox.
func DecodeUTF7(s string) (name string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c < ' ' || c > '~' {
			return "", false
		}
		if c != '&' {
			b.WriteByte(c)
			continue
		}
		end := strings.IndexByte(s[i:], '-')
		if end < 0 {
			return "", false
		}
		run, ok := decodeRun(s[i+1 : i+end])
		if !ok {
			return "", false
		}
		b.WriteString(run)
		i += end
	}
	name = b.String()
	return name, EncodeUTF7(name) == s
}

func decodeRun(s string) (string, bool) {
	if s == "" {
		return "&", true
	}
	raw, err := utf7.DecodeString(s)
	if err != nil || len(raw)%2 != 0 {
		return "", false
	}
	us := make([]uint16, len(raw)/2)
	for i := range us {
		us[i] = uint16(raw[2*i])<<8 | uint16(raw[2*i+1])
	}
	run := string(utf16.Decode(us))
	return run, !strings.ContainsRune(run, utf8.RuneError)
}
