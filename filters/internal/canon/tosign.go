package canon

import (
	"bufio"
	"io"
	"sort"
	"strings"
)

// over are the fields that are signed once more than they stand in the message
// (RFC 6376 section 8.15), so that nobody can add another one to a signed
// message; also are those that are signed as often as they stand (section 5.4.1).
var (
	over = []string{"From", "To", "Cc", "Subject", "Date", "Message-ID", "Reply-To", "MIME-Version", "Content-Type", "Content-Transfer-Encoding"}
	also = []string{"Sender", "In-Reply-To", "References", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "Resent-From", "Resent-To", "Resent-Date", "Resent-Message-ID"}
)

// maxLine is how long a header line may be that is looked at for its name.
const maxLine = 64 << 10

// ToSign is the h= tag for a message: RFC 6376 section 5.4.
func ToSign(r io.Reader) ([]string, error) {
	count, err := fieldCounts(r)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, name := range over {
		for range count[strings.ToLower(name)] + 1 {
			out = append(out, name)
		}
	}
	for _, name := range also {
		for range min(count[strings.ToLower(name)], 10) {
			out = append(out, name)
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i] == "From" && out[j] != "From" })
	return out, nil
}

// fieldCounts counts the header fields by name in lower case.
func fieldCounts(r io.Reader) (map[string]int, error) {
	count := map[string]int{}
	br := bufio.NewReaderSize(r, maxLine)
	for {
		line, err := br.ReadSlice('\n')
		for err == bufio.ErrBufferFull {
			_, err = br.ReadSlice('\n') // the rest of a line that is too long
		}
		if err != nil && err != io.EOF {
			return nil, err
		}
		if len(strings.TrimRight(string(line), "\r\n")) == 0 || err == io.EOF {
			return count, nil
		}
		if name, _, ok := strings.Cut(string(line), ":"); ok && line[0] != ' ' && line[0] != '\t' {
			count[strings.ToLower(strings.TrimSpace(name))]++
		}
	}
}
