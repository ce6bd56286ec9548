package attachment

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/meter/metertest"
	"github.com/forepost/forepost/relay/mime"
	"github.com/forepost/forepost/relay/pipeline"
)

// file is one file of an archive.
type file struct {
	name string
	body string
}

func zipOf(t testing.TB, files ...file) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range files {
		w, err := z.Create(f.name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(f.body)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// attached is what the filter finds of a message with one attachment.
func attached(t testing.TB, name, body string) pipeline.Facts {
	t.Helper()
	var b strings.Builder
	b.WriteString("Content-Type: application/octet-stream; name=\"" + name + "\"\r\nContent-Transfer-Encoding: base64\r\n\r\n")
	for s := base64.StdEncoding.EncodeToString([]byte(body)); s != ""; {
		n := min(len(s), 76)
		b.WriteString(s[:n] + "\r\n")
		s = s[n:]
	}
	tx := pipeline.NewTransaction(&pipeline.Session{})
	blob := mail.Bytes(b.String())
	tx.Message = &mail.Message{Blob: blob}
	var err error
	if tx.Part, err = mime.Parse(blob, mime.Limits{}); err != nil {
		t.Fatal(err)
	}
	fd, err := filter{}.Inspect(t.Context(), tx)
	if err != nil {
		t.Fatal(err)
	}
	return fd.Facts
}

func TestArchives(t *testing.T) {
	program := zipOf(t, file{"docs/readme.txt", "hello"}, file{"invoice.pdf.js", "x()"})
	office := zipOf(t, file{"[Content_Types].xml", "<a/>"}, file{"word/vbaProject.bin", "x"})
	encrypted := []byte(zipOf(t, file{"secret.exe", "MZ"}))
	for at := range encrypted { // set the bit in both headers: local and central
		if bytes.HasPrefix(encrypted[at:], []byte("PK\x03\x04")) {
			encrypted[at+6] |= 1
		} else if bytes.HasPrefix(encrypted[at:], []byte("PK\x01\x02")) {
			encrypted[at+8] |= 1
		}
	}
	deep := zipOf(t, file{"a.zip", zipOf(t, file{"b.zip", zipOf(t, file{"c.exe", "MZ"})})})
	for name, c := range map[string]struct {
		body        string
		extensions  []string
		macros      bool
		encrypted   bool
		unscannable bool
	}{
		"names in a zip count":                 {body: program, extensions: []string{"bin", "zip", "txt", "js"}},
		"a zip in a zip too":                   {body: zipOf(t, file{"x.zip", program}), extensions: []string{"bin", "zip", "txt", "js"}},
		"the third level is not opened":        {body: deep, extensions: []string{"bin", "zip"}, unscannable: true},
		"octets before the zip":                {body: strings.Repeat("x", 5000) + program, extensions: []string{"bin", "txt", "js"}},
		"macros in a new Office document":      {body: office, macros: true},
		"macros in one within a zip":           {body: zipOf(t, file{"a.docm", office}), macros: true},
		"macros in an old Office document":     {body: ole("VBA"), macros: true},
		"an old Office document without":       {body: ole("WordDocument")},
		"an Office document with a password":   {body: ole("EncryptedPackage"), encrypted: true},
		"an encrypted file":                    {body: string(encrypted), encrypted: true, extensions: []string{"bin", "zip", "exe"}},
		"a zip that is cut off":                {body: program[:len(program)/2], unscannable: true},
		"a sort that is not opened":            {body: "7z\xbc\xaf\x27\x1c\x00\x04" + strings.Repeat("x", 100), unscannable: true},
		"bomb: one file packed beyond measure": {body: zipOf(t, file{"a.txt", strings.Repeat("0", 40<<20)}), unscannable: true},
		"bomb: too many files":                 {body: zipOf(t, slices.Repeat([]file{{"a.txt", ""}}, maxFiles+1)...), unscannable: true},
		"names that climb and run":             {body: zipOf(t, file{"../../etc/`id`.sh", "x"}), extensions: []string{"bin", "zip", "sh"}},
	} {
		var facts pipeline.Facts
		if took := metertest.CPU(t, func() { facts = attached(t, "a.bin", c.body) }); took > 3*time.Second {
			t.Errorf("%s: took %v of processor time", name, took)
		}
		if got := facts["extensions"].([]string); c.extensions != nil && !slices.Equal(got, c.extensions) {
			t.Errorf("%s: extensions %q, want %q", name, got, c.extensions)
		}
		if facts["has_macros"] != c.macros || facts["has_encrypted_archive"] != c.encrypted || facts["unscannable"] != c.unscannable {
			t.Errorf("%s: %v", name, facts)
		}
	}
}

// ole is a compound file with one stream in its directory.
func ole(stream string) string {
	b := make([]byte, 512+512)
	copy(b, oleMagic)
	e := b[512:]
	for i, u := range utf16.Encode([]rune(stream)) {
		binary.LittleEndian.PutUint16(e[2*i:], u)
	}
	binary.LittleEndian.PutUint16(e[64:], uint16(2*len(stream)+2))
	e[66] = 1
	return string(b)
}

func FuzzScan(f *testing.F) {
	f.Add("a.zip", []byte(zipOf(f, file{"a.exe", "MZ"})))
	f.Add("b.doc", []byte(ole("VBA")))
	if dir := os.Getenv("FOREPOST_SUITES"); dir != "" {
		files, _ := filepath.Glob(filepath.Join(dir, "mime-ruby-mail", "*", "*"))
		for _, name := range files {
			if b, err := os.ReadFile(name); err == nil && len(b) < 1<<16 {
				f.Add(filepath.Base(name), b)
			}
		}
	}
	f.Fuzz(func(t *testing.T, name string, body []byte) {
		rep := &report{}
		s := &scan{ctx: t.Context(), rep: rep, budget: 1 << 20, files: 100}
		rep.name("", name)
		s.file(name, body, 0)
		for _, ext := range rep.extensions {
			if ext == "" || len(ext) > 2*mime.MaxExtension || strings.ContainsAny(ext, "./\\\x00") {
				t.Errorf("%q is no extension", ext)
			}
		}
	})
}
