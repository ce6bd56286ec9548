package outbound

import (
	"bufio"
	"fmt"
	"io"
	"net"
)

// chunkServer takes one message in chunks, and answers the second as it is told to. It
// returns how many octets came.
func chunkServer(conn net.Conn, second string) (octets int) {
	defer conn.Close()
	r, say := bufio.NewReader(conn), make(chan string, 100)
	defer close(say)
	go func() { // it writes while it reads, as a server with buffers does
		for s := range say {
			io.WriteString(conn, s+"\r\n")
		}
	}()
	say <- "220 hi"
	for n := 0; ; {
		line, err := r.ReadString('\n')
		if err != nil {
			return octets
		}
		var size int
		switch {
		case line[:4] == "EHLO":
			say <- "250-hi\r\n250 CHUNKING"
			continue
		case line[:4] == "BDAT":
			fmt.Sscanf(line, "BDAT %d", &size)
			m, err := io.CopyN(io.Discard, r, int64(size))
			octets += int(m)
			if err != nil {
				return octets
			}
			if n++; n == 2 {
				say <- second
				continue
			}
			if line[len(line)-6:] == "LAST\r\n" {
				say <- "250 2.0.0 done"
				continue
			}
		case line[:4] == "QUIT":
			say <- "221 bye"
			return octets
		}
		say <- "250 ok"
	}
}
