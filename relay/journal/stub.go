package journal

import (
	"context"

	"github.com/forepost/forepost/relay/mail"
)

// The room behind this contract is being built.
type batch struct{}

func (b *batch) add(Kind, []byte)    {}
func (b *batch) addBlob(*BlobWriter) {}

type journal struct{}

// Disk is the file system under a journal: the real one, or one that forgets.
type Disk interface{}

func open(string, Options) (*Journal, error)            { return &Journal{}, nil }
func (j *journal) register(Owner, []Kind)               {}
func (j *journal) recover(context.Context) error        { return nil }
func (j *journal) commit(context.Context, *Batch) error { return nil }
func (j *journal) append(*Batch, func(error))           {}
func (j *journal) newBlob() *BlobWriter                 { return &BlobWriter{} }
func (j *journal) findBlob(BlobID) (*Blob, error)       { return nil, ErrNoBlob }
func (j *journal) hold(BlobID)                          {}
func (j *journal) release(BlobID)                       {}
func (j *journal) compact(context.Context) (int, error) { return 0, nil }
func (j *journal) stats() Stats                         { return Stats{} }
func (j *journal) close() error                         { return nil }

type blobWriter struct{ id BlobID }

func (w *blobWriter) write(p []byte) (int, error) { return len(p), nil }
func (w *blobWriter) blob() *Blob                 { return nil }
func (w *blobWriter) discard()                    {}

type blobRef struct{}

func (b *blobRef) size() int64                    { return 0 }
func (b *blobRef) open() (mail.BlobReader, error) { return nil, ErrNoBlob }
