package attachment

import (
	"bytes"
	"encoding/binary"
	"unicode/utf16"
)

// Old Office documents are compound files ([MS-CFB]): sectors of 512 or 4096
// octets, some of which are the directory, with entries of 128 octets whose
// names tell what the document has.

var oleMagic = []byte{0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1}

func isOLE(b []byte) bool { return bytes.HasPrefix(b, oleMagic) }

// Names of the directory, [MS-OVBA] section 2.2.1 and [MS-OFFCRYPTO] section 2.3.
var (
	macroNames     = []string{"VBA", "_VBA_PROJECT", "_VBA_PROJECT_CUR", "Macros"}
	encryptedNames = []string{"EncryptedPackage", "EncryptionInfo"}
)

func oleMacros(b []byte) bool    { return oleHas(b, macroNames) }
func oleEncrypted(b []byte) bool { return oleHas(b, encryptedNames) }

const oleEntry = 128

// oleHas looks for directory entries by their form, in all sectors: a chain of
// sectors that is broken on purpose hides nothing from it.
func oleHas(b []byte, names []string) bool {
	for at := 512; at+oleEntry <= len(b); at += oleEntry {
		e := b[at : at+oleEntry]
		n := int(binary.LittleEndian.Uint16(e[64:])) // of the name in octets, with its final NUL
		if n < 4 || n > 64 || n%2 != 0 || (e[66] != 1 && e[66] != 2) {
			continue // neither a storage nor a stream
		}
		units := make([]uint16, n/2-1)
		for i := range units {
			units[i] = binary.LittleEndian.Uint16(e[2*i:])
		}
		name := string(utf16.Decode(units))
		for _, want := range names {
			if name == want {
				return true
			}
		}
	}
	return false
}
