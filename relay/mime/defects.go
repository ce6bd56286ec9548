package mime

// DefectDoc is a defect and what it says, for those who write policies.
type DefectDoc struct {
	Word Defect
	Doc  string
}

// Defects are all of them, in the order of the message.
func Defects() []DefectDoc {
	return []DefectDoc{
		{DefectNoHeaderEnd, "no empty line ends the header of the message or of a part"},
		{DefectBadField, "a line of a header is neither a field nor the continuation of one"},
		{DefectEightBitHeader, "a header field has octets over 127"},
		{DefectNoFrom, "there is no From field"},
		{DefectManyFrom, "there is more than one From field"},
		{DefectOddFrom, "a From field is not one plain address: it has several, a group, none, or cannot be read"},
		{DefectDuplicateField, "a field that may stand once (RFC 5322 section 3.6) stands twice"},
		{DefectDuplicateType, "Content-Type or Content-Transfer-Encoding stands twice in one header"},
		{DefectLongLine, "a line has over 998 octets"},
		{DefectBareCRLF, "a CR or LF is no line end"},
		{DefectNUL, "there is a NUL"},
		{DefectNoBoundary, "a multipart has no boundary"},
		{DefectAmbiguousBoundary, "a multipart has several boundaries, or one that begins like another: readers differ about its parts"},
		{DefectUnclosed, "the closing boundary of a multipart is missing"},
		{DefectAmbiguousName, "the names of a file (filename, name, their pieces of RFC 2231) disagree: readers differ about what it is"},
		{DefectBadEncoding, "the transfer encoding of a part is unknown, stands twice, or is broken"},
		{DefectLimit, "there is more than is looked at: fields, parts, nesting, parameters"},
	}
}
