package attachment

import (
	"strings"

	"github.com/forepost/forepost/relay/mime"
)

// maxName is how many octets of a file name are told.
const maxName = 255

// name notes a file name and its extension.
func (rep *report) name(inside, raw string) {
	n := mime.CleanName(raw)
	if n == "" {
		return
	}
	if ext := mime.Extension(n); ext != "" {
		rep.extensions.add(ext)
	}
	if inside != "" {
		n = inside + "/" + n
	}
	rep.names.add(clip(n))
}

func clip(s string) string {
	if len(s) <= maxName {
		return s
	}
	return strings.ToValidUTF8(s[:maxName], "")
}
