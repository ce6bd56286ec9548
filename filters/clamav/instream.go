package clamav

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// chunk is how much of a message is sent at once; maxReply bounds the answer.
const (
	chunk    = 64 << 10
	maxReply = 4 << 10
)

// ask is one INSTREAM of clamd(8), on a connection of its own: chunks with their
// length in four octets, big-endian, up to one of length 0; then one answer that
// ends in NUL.
func (f *filter) ask(ctx context.Context, msg io.Reader) (string, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, f.network, f.address)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	// What waits on the connection ends with ctx.
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	sent := send(conn, msg)
	// clamd that has had enough (its size limit) answers and closes: what it says
	// is worth more than the error of writing.
	reply, err := readReply(conn)
	switch {
	case err == nil:
		return reply, nil
	case ctx.Err() != nil:
		return "", fmt.Errorf("no answer in time: %w", ctx.Err())
	}
	return "", errors.Join(sent, err)
}

func send(conn io.Writer, msg io.Reader) error {
	w := bufio.NewWriterSize(conn, chunk+4)
	if _, err := w.WriteString("zINSTREAM\x00"); err != nil {
		return err
	}
	b := make([]byte, chunk)
	for {
		n, err := io.ReadFull(msg, b)
		if n > 0 {
			if err := writeChunk(w, b[:n]); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("reading the message: %w", err)
		}
	}
	if err := writeChunk(w, nil); err != nil {
		return err
	}
	return w.Flush()
}

func writeChunk(w io.Writer, b []byte) error {
	var size [4]byte
	binary.BigEndian.PutUint32(size[:], uint32(len(b)))
	if _, err := w.Write(size[:]); err != nil {
		return err
	}
	_, err := w.Write(b)
	return err
}

// readReply reads up to the NUL.
func readReply(conn io.Reader) (string, error) {
	s, err := bufio.NewReader(io.LimitReader(conn, maxReply)).ReadString(0)
	switch {
	case err == nil:
		return strings.TrimSpace(strings.TrimSuffix(s, "\x00")), nil
	case errors.Is(err, io.EOF):
		return "", fmt.Errorf("the answer breaks off after %q", s)
	}
	return "", err
}
