package policies

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/forepost/forepost/policies/internal/diag"
)

// missing is an error where the configuration is to be served, else a warning.
func (l *loader) missing(c diag.Code, at hcl.Range, text, fix string) {
	if l.o.Strict {
		l.bag.Error(c, at, text, fix)
		return
	}
	l.bag.Warn(c, at, text, fix)
}

// readText reads the file of file(), a list, or a certificate; "" where it
// cannot.
func (l *loader) readText(name string, at hcl.Range) string {
	text, err := l.o.ReadFile(l.path(name))
	if err != nil {
		l.unread(name, at, err)
		return ""
	}
	return string(text)
}

// unread tells why a file cannot be read, without saying its name twice.
func (l *loader) unread(name string, at hcl.Range, err error) {
	why := err
	if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
		why = pe.Err
	}
	switch text := l.path(name) + ": " + why.Error() + "."; {
	case errors.Is(err, fs.ErrNotExist):
		l.missing(diag.MissingFile, at, text, "Put the file there, or correct its name.")
	case errors.Is(err, fs.ErrPermission):
		l.missing(diag.CannotRead, at, text, "The daemon reads it as its own user: chgrp forepost and chmod g+r, and x on the folders above it.")
	default:
		l.missing(diag.CannotRead, at, text, "See that the name is that of a file.")
	}
}

// exists checks that a file that others will read is there.
func (l *loader) exists(name string, at hcl.Range) string {
	if name == "" {
		return ""
	}
	l.readText(name, at)
	return l.path(name)
}

// secret reads a secret by name, without the line end that editors leave.
func (l *loader) secret(name string, at hcl.Range) string {
	if name == "" || strings.ContainsAny(name, "/\\") || strings.HasPrefix(name, ".") {
		l.bag.Error(diag.BadValue, at, "The name of a secret is the name of a file without a directory.", "")
		return ""
	}
	for _, dir := range l.o.Credentials {
		if text, err := l.o.ReadFile(filepath.Join(dir, name)); err == nil {
			return strings.TrimRight(string(text), "\r\n")
		}
	}
	l.missing(diag.MissingSecret, at, "There is no secret \""+name+"\".",
		"Put it into a file "+name+" in "+strings.Join(l.o.Credentials, " or ")+".")
	return ""
}
