package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

const hostsConfig = `
hostname = "gw.test"
dns {
  zone = %q
}
listener "edge" {
  address    = "127.0.0.1:0"
  tls        = off
  relay_from = ["127.0.0.1"]
  policy     = policy.open
}
domain "rcpt.test" {
  route      = route.next
  recipients = any
}
route "next" {
  to    = ["mx1.rcpt.test:2500", "mx2.rcpt.test:2500"]
  retry = { first = "1s", max = "2s" }
}
policy "open" {}
`

// Two hosts, each in a network namespace of its own: mail goes to the first; when its
// line is cut (no answer, not a refusal) to the second; and to the first again when it is
// back. Both cut off, the mail waits, and arrives when one is back.
func TestSeveralHosts(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("network namespaces need root")
	}
	need(t, "ip", "python3")
	zone := writeFile(t, "zone.json", `{"mx1.rcpt.test": {"A": ["10.213.1.2"]}, "mx2.rcpt.test": {"A": ["10.213.2.2"]}}`)
	one, two := newHost(t, 1), newHost(t, 2)
	g := serveGateway(t, fmt.Sprintf(hostsConfig, zone))
	addr := g.address("smtp", "edge")
	n := 0
	send := func(to *host, other *host) {
		t.Helper()
		n++
		subject := fmt.Sprintf("message %d", n)
		if err := sendOne(addr, "ann@rcpt.test", subject); err != nil {
			t.Fatal(err)
		}
		waitFor(t, func() (string, bool) {
			return fmt.Sprintf("%s is not at host %d (at the other: %v)\n%s", subject, to.n, other.has(subject), g.log), to.has(subject)
		})
		if other.has(subject) {
			t.Errorf("%s is at both hosts", subject)
		}
	}
	send(one, two)
	one.line("down") // with a connection that is kept: nobody says that it is dead
	send(two, one)
	one.line("up")
	send(one, two)

	forgotten(t)
	one.line("down")
	two.line("down")
	if err := sendOne(addr, "ann@rcpt.test", "patience"); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() (string, bool) {
		es, err := g.client().QueueList(context.Background(), "", 0)
		return fmt.Sprintf("it does not wait with a reason: %+v, %v", es, err), err == nil && len(es) == 1 && strings.Contains(es[0].To[0].Reason, "No connection")
	})
	two.line("up")
	waitFor(t, func() (string, bool) {
		return "it has not arrived since the second host is back", two.has("patience")
	})
}

// forgotten waits until no connection to the hosts is kept any more.
func forgotten(t *testing.T) {
	t.Helper()
	waitFor(t, func() (string, bool) {
		b, err := os.ReadFile("/proc/net/tcp")
		for _, line := range strings.Split(string(b), "\n") {
			f := strings.Fields(line)
			if len(f) > 3 && strings.HasSuffix(f[2], ":09C4") && strings.Contains(f[2], "D50A:") && f[3] == "01" {
				return "a connection is kept: " + line, false
			}
		}
		return fmt.Sprint(err), err == nil
	})
}

// host is a next server in a network namespace.
type host struct {
	t     *testing.T
	n     int
	spool string
}

// sinkProgram is a server that writes the subject of each message into a file before it
// says that it has it.
const sinkProgram = `
import socketserver, sys
class Talk(socketserver.StreamRequestHandler):
    def handle(self):
        say = lambda s: self.wfile.write(s.encode() + b"\r\n")
        say("220 sink")
        while True:
            line = self.rfile.readline().decode("latin-1")
            if not line: return
            verb = line[:4].upper()
            if verb == "DATA":
                say("354 go on")
                text = []
                while True:
                    line = self.rfile.readline().decode("latin-1")
                    if line in (".\r\n", ""): break
                    text.append(line)
                with open(sys.argv[1], "a") as f:
                    f.write("".join(l for l in text if l.startswith("Subject: ")))
            say("221 bye" if verb == "QUIT" else "250 ok")
            if verb == "QUIT": return
class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
Server(("0.0.0.0", 2500), Talk).serve_forever()
`

func newHost(t *testing.T, n int) *host {
	t.Helper()
	h := &host{t: t, n: n, spool: writeFile(t, "spool", "")}
	ns, here, there := fmt.Sprintf("fptest%d", n), fmt.Sprintf("fptest%da", n), fmt.Sprintf("fptest%db", n)
	if out, err := exec.Command("ip", "netns", "add", ns).CombinedOutput(); err != nil {
		t.Skipf("no network namespace can be made here: %s", out)
	}
	t.Cleanup(func() { exec.Command("ip", "netns", "del", ns).Run() })
	for _, args := range []string{
		"link add " + here + " type veth peer name " + there + " netns " + ns,
		fmt.Sprintf("addr add 10.213.%d.1/24 dev %s", n, here),
		"link set " + here + " up",
		fmt.Sprintf("-n %s addr add 10.213.%d.2/24 dev %s", ns, n, there),
		"-n " + ns + " link set " + there + " up",
	} {
		h.ip(args)
	}
	t.Cleanup(func() { exec.Command("ip", "link", "del", here).Run() })
	program := writeFile(t, "sink.py", sinkProgram)
	c := exec.Command("ip", "netns", "exec", ns, "python3", program, h.spool)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill(); c.Wait() })
	waitFor(t, func() (string, bool) {
		return "the host does not listen", exec.Command("ip", "netns", "exec", ns, "python3", "-c", "import socket; socket.create_connection(('127.0.0.1', 2500), 1)").Run() == nil ||
			exec.Command("python3", "-c", fmt.Sprintf("import socket; socket.create_connection(('10.213.%d.2', 2500), 1)", n)).Run() == nil
	})
	return h
}

func (h *host) ip(args string) {
	h.t.Helper()
	if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
		h.t.Fatalf("ip %s: %v %s", args, err, out)
	}
}

// line cuts the host off at its own end, or connects it again.
func (h *host) line(state string) {
	h.t.Helper()
	h.ip(fmt.Sprintf("-n fptest%d link set fptest%db %s", h.n, h.n, state))
}

func (h *host) has(subject string) bool {
	b, err := os.ReadFile(h.spool)
	return err == nil && strings.Contains(string(b), "Subject: "+subject+"\r\n")
}
