// Package mime is the one parser of messages: lossless, bounded in time and
// memory, never failing. It takes a message in pieces as it arrives and knows
// at the end where everything lies, as offsets into the original octets. What
// is odd about a message is told as defects, not as errors.
package mime

import "github.com/forepost/forepost/relay/mail"

// Limits bound what a Parser keeps. Beyond them parsing goes on (offsets of the
// whole stay right), the rest is not looked into, and a Defect says so.
type Limits struct {
	HeaderBytes int // kept octets of all headers together; default 1 MiB
	Fields      int // header fields of one part; default 2,000
	Parts       int // parts of the whole message; default 1,000
	Depth       int // nesting of multiparts and message/rfc822; default 50
}

// Defect is something odd that was seen, in a closed set of words.
type Defect string

// The defects. Policies see them as msg.defects.
const (
	DefectNoHeaderEnd       Defect = "header-without-end"       // no empty line ends the header
	DefectBadField          Defect = "bad-header-line"          // a line in the header that is no field and no continuation
	DefectEightBitHeader    Defect = "8bit-header"              // octets over 127 in a header field
	DefectLongLine          Defect = "long-line"                // a line over 998 octets
	DefectBareCRLF          Defect = "bare-cr-or-lf"            // a CR or LF that is no line end
	DefectNUL               Defect = "nul"                      // a NUL octet
	DefectManyFrom          Defect = "several-from"             // more than one From field
	DefectNoFrom            Defect = "no-from"                  // no From field
	DefectOddFrom           Defect = "odd-from"                 // a From field that is not one plain address: several, a group, none, or not to be read
	DefectDuplicateField    Defect = "duplicate-field"          // a field that RFC 5322 section 3.6 allows once stands twice
	DefectNoBoundary        Defect = "multipart-no-boundary"    // multipart without a boundary
	DefectAmbiguousBoundary Defect = "ambiguous-boundary"       // several boundary parameters, or one the prefix of another
	DefectUnclosed          Defect = "multipart-unclosed"       // the closing boundary is missing
	DefectAmbiguousName     Defect = "ambiguous-filename"       // filename and name, or their RFC 2231 pieces, disagree
	DefectBadEncoding       Defect = "bad-transfer-encoding"    // unknown, doubled, or broken Content-Transfer-Encoding
	DefectDuplicateType     Defect = "duplicate-content-header" // Content-Type or Content-Transfer-Encoding twice
	DefectLimit             Defect = "limit"                    // Limits were reached
)

// Field is one header field as it stands in the message.
type Field struct {
	Name string // as written
	Raw  string // the value as written, from behind the colon to before its last CRLF, folds kept
	Off  int64  // where the field begins in the original
	End  int64  // behind its last CRLF
}

// Part is a message or a part of one. Offsets are octets of the original.
type Part struct {
	Fields  []Field
	Off     int64 // where the header begins
	Body    int64 // where the body begins
	End     int64 // behind the body (for a part of a multipart: before the CRLF of the boundary line)
	Lines   int64 // CRLFs in the body: BODYSTRUCTURE asks for it
	Defects []Defect

	// Type is "type/subtype", lower case; "text/plain" where it is not stated
	// ("message/rfc822" within multipart/digest).
	Type   string
	Params map[string]string // of Content-Type, names in lower case, RFC 2231 and RFC 2047 undone

	Encoding    string // of Content-Transfer-Encoding, lower case, "7bit" where not stated
	Disposition string // lower case, "" where not stated
	DispParams  map[string]string
	// Names are all the file names that a client might show for the part
	// (filename, name, RFC 2231 joined and not), the likeliest first.
	Names []string

	Parts   []*Part // of a multipart
	Message *Part   // of message/rfc822 and message/global
}

// Parser takes a message in pieces.
type Parser struct{ parser }

// NewParser starts a message. A zero in l means its default.
func NewParser(l Limits) *Parser { return &Parser{newParser(l)} }

// Write takes the next octets; it never fails and keeps no reference to b.
func (p *Parser) Write(b []byte) (int, error) { p.write(b); return len(b), nil }

// Close tells that the message is over and returns its structure.
func (p *Parser) Close() *Part { return p.close() }

// Parse reads a message that lies somewhere; it fails only where reading does.
func Parse(blob mail.Blob, l Limits) (*Part, error) { return parse(blob, l) }
