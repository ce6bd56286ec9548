package journal_test

import (
	"context"
	"io"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/forepost/forepost/relay/journal"
)

// onDisk opens a journal on the real disk.
func onDisk(b *testing.B, dir string, own journal.Owner) *journal.Journal {
	j, err := journal.Open(dir, journal.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { j.Close() })
	j.Register(own, journal.KindQueue)
	if err := j.Recover(context.Background()); err != nil {
		b.Fatal(err)
	}
	return j
}

// BenchmarkCommit is 64 writers, each with one message of 8 KiB and a record a
// commit, acknowledged when it is on the disk.
func BenchmarkCommit(b *testing.B) {
	j := onDisk(b, b.TempDir(), &list{})
	data := make([]byte, 8<<10)
	record := make([]byte, 200)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	const writers = 64
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	for range writers {
		wg.Go(func() {
			for next.Add(1) <= int64(b.N) {
				commitOne(b, j, data, record)
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
	b.ReportMetric(float64(b.N)/float64(j.Stats().Syncs), "commits/sync")
}

func commitOne(b *testing.B, j *journal.Journal, data, record []byte) {
	w := j.NewBlob()
	if _, err := w.Write(data); err != nil {
		b.Error(err)
	}
	var batch journal.Batch
	batch.Add(journal.KindQueue, record)
	batch.AddBlob(w)
	if err := j.Commit(context.Background(), &batch); err != nil {
		b.Error(err)
	}
	j.Release(w.ID())
}

// BenchmarkReadBlob opens and reads a message of 8 KiB.
func BenchmarkReadBlob(b *testing.B) {
	j := onDisk(b, b.TempDir(), &list{})
	w := j.NewBlob()
	w.Write(make([]byte, 8<<10))
	var batch journal.Batch
	batch.AddBlob(w)
	if err := j.Commit(context.Background(), &batch); err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, 8<<10)
	b.ReportAllocs()
	for b.Loop() {
		r, err := w.Blob().Open()
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(r, buf); err != nil {
			b.Fatal(err)
		}
		r.Close()
	}
}
