package report

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
)

// The bounds of unpacking: a file of a few octets may pretend to hold many.
const (
	maxUnpacked = 32 << 20 // octets of what is unpacked
	maxRatio    = 300      // times the packed size, above freeSize: real reports have 10 to 60
	freeSize    = 1 << 20
	maxEntries  = 10 // files of an archive that are looked at
)

func readGzip(in []byte, packed int) (*Report, error) {
	z, err := gzip.NewReader(bytes.NewReader(in))
	if err != nil {
		return nil, fmt.Errorf("%w: gzip: %w", ErrBroken, err)
	}
	out, err := unpack(z, len(in))
	if err != nil {
		return nil, err
	}
	return readFile(out, packed+1)
}

// readZip reads the first file of an archive that is a report.
func readZip(in []byte, packed int) (*Report, error) {
	z, err := zip.NewReader(bytes.NewReader(in), int64(len(in)))
	if err != nil {
		return nil, fmt.Errorf("%w: zip: %w", ErrBroken, err)
	}
	err = ErrNoReport
	for _, f := range z.File[:min(len(z.File), maxEntries)] {
		var r *Report
		if r, err = readZipped(f, len(in), packed); err == nil {
			return r, nil
		}
		if errors.Is(err, ErrTooLarge) {
			break
		}
	}
	return nil, err
}

func readZipped(f *zip.File, size, packed int) (*Report, error) {
	r, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("%w: zip: %w", ErrBroken, err)
	}
	defer r.Close()
	out, err := unpack(r, size)
	if err != nil {
		return nil, err
	}
	return readFile(out, packed+1)
}

// unpack reads what was packed in size octets. Octets behind the end, and a
// checksum that does not agree, do not matter where the whole came out: some
// senders write such files.
func unpack(r io.Reader, size int) ([]byte, error) {
	most := min(int64(maxUnpacked), max(int64(freeSize), int64(size)*maxRatio))
	out, err := io.ReadAll(io.LimitReader(r, most+1))
	if int64(len(out)) > most {
		return nil, fmt.Errorf("%w: it unpacks to more than %d octets", ErrTooLarge, most)
	}
	if err != nil && len(out) == 0 {
		return nil, fmt.Errorf("%w: %w", ErrBroken, err)
	}
	return out, nil
}
