package appliance

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"

	"github.com/forepost/forepost/policies"
	"golang.org/x/sys/unix"
)

// sendmailName is the door for programs of this machine, and its socket, beside
// the control socket. Who may reach the directory may send: that is what local
// users of a mail server may do. They may not do more, so it is a socket of its
// own.
const (
	sendmailName   = "sendmail"
	sendmailSocket = "sendmail.sock"
)

// sendmailListener is the door that `forepost sendmail` speaks to: a submission
// whose client is this machine, under the policy of the first submission
// listener, or else of the first. ok is false where there is none, or one of that
// name.
func (a *Appliance) sendmailListener(s *policies.Settings) (ls policies.Listener, ok bool) {
	ls = policies.Listener{Name: sendmailName, Protocol: "submission", Address: "unix:" + filepath.Join(filepath.Dir(a.controlPath(s)), sendmailSocket),
		TLS: policies.TLSOff, RelayFrom: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}
	ls.Gate.MaxSessions, ls.Gate.MaxPerClient, ls.Gate.MaxPerNetwork = 500, 500, 500
	submission := false
	for _, other := range s.Listeners {
		if other.Name == sendmailName {
			return ls, false
		}
		if ls.Policy == "" || other.Protocol == "submission" && !submission {
			ls.Policy, ls.MaxSize, ls.MaxRecipients = other.Policy, other.MaxSize, other.MaxRecipients
			submission = other.Protocol == "submission"
		}
	}
	return ls, ls.Policy != ""
}

// localListener takes programs of this machine, whose user the kernel tells.
type localListener struct{ net.Listener }

// Accept takes one.
func (l localListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return localConn{c, peerOf(c)}, nil
}

// localConn is a program of this machine.
type localConn struct {
	net.Conn
	peer string
}

// RemoteAddr is this machine.
func (localConn) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// Peer is the user, for the trace field.
func (c localConn) Peer() string { return c.peer }

// peerOf asks the kernel who is on the other end (SO_PEERCRED).
func peerOf(c net.Conn) string {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return "local"
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return "local"
	}
	peer := "local"
	raw.Control(func(fd uintptr) { // an error leaves "local"
		if cred, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); err == nil {
			peer = "userid " + strconv.FormatUint(uint64(cred.Uid), 10)
		}
	})
	return peer
}

// openToAll lets every user of the machine connect.
func openToAll(ln net.Listener) (net.Listener, error) {
	if err := os.Chmod(ln.Addr().String(), 0o666); err != nil {
		ln.Close()
		return nil, fmt.Errorf("the socket of sendmail: %w", err)
	}
	return localListener{ln}, nil
}
