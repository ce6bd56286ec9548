package outbound

import (
	"context"
	"errors"
	"hash/fnv"
	"net"
	"net/netip"
	"time"

	"github.com/forepost/forepost/relay/mail"
)

// stagger is how long an address has to answer before the next one is tried beside it,
// RFC 8305 section 5.
const stagger = 250 * time.Millisecond

// dialed is what came of one address.
type dialed struct {
	i    int
	conn net.Conn
	fail *failure
}

// race connects to the first of some endpoints that answers: one after the other, each
// a little later than the one before, or at once where that failed. It returns the
// winner's place, and those that did not fail and may be asked still. The connections
// that lose are closed.
func (c *Client) race(ctx context.Context, es []endpoint) (i int, conn net.Conn, rest []endpoint, fail *failure) {
	ctx, cancel := context.WithCancel(ctx)
	results, begun, failed := make(chan dialed), 0, map[int]bool{}
	begin := func() {
		go func(i int) {
			conn, fail := c.dial(ctx, es[i])
			results <- dialed{i, conn, fail}
		}(begun)
		begun++
	}
	defer func() {
		cancel()
		go reap(results, begun-len(failed))
	}()
	begin()
	next := time.NewTimer(stagger)
	defer next.Stop()
	for {
		select {
		case d := <-results:
			failed[d.i] = true // or won: it is not waited for any more
			if d.fail == nil {
				return d.i, d.conn, others(es, failed), nil
			}
			if fail == nil || d.i > i {
				i, fail = d.i, d.fail
			}
		case <-next.C:
		}
		switch {
		case begun < len(es) && ctx.Err() == nil:
			begin()
			next.Reset(stagger)
		case len(failed) == begun:
			return i, nil, nil, fail
		}
	}
}

// reap closes the connections that come too late.
func reap(results <-chan dialed, n int) {
	for range n {
		if d := <-results; d.conn != nil {
			d.conn.Close()
		}
	}
}

func others(es []endpoint, not map[int]bool) (rest []endpoint) {
	for i, e := range es {
		if !not[i] {
			rest = append(rest, e)
		}
	}
	return rest
}

// dial connects to one endpoint, from the route's own address where it has one of the
// same family.
func (c *Client) dial(ctx context.Context, e endpoint) (net.Conn, *failure) {
	ctx, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	var conn net.Conn
	var err error
	if e.from.IsValid() {
		conn, err = c.o.DialFrom(ctx, e.network, e.addr, e.from)
	} else {
		conn, err = c.o.Dialer(ctx, e.network, e.addr)
	}
	if err != nil {
		var op *net.OpError
		if errors.As(err, &op) {
			err = op.Err // without the address, which stands there already
		}
		text := "No connection to " + e.host + ": " + printable(err.Error())
		if e.from.IsValid() {
			text = "No connection from " + e.from.String() + " to " + e.host + ": " + printable(err.Error())
		}
		// RFC 3463 section 3.5: X.4.1, no answer from host.
		return nil, &failure{reply: mail.Defer(51, 4, 1, text)}
	}
	return conn, nil
}

// sourceFor chooses the address to connect from: one of the same family, always the
// same for a host, since greylists and reputations go by it.
func sourceFor(pool []netip.Addr, host string, to netip.Addr) (from netip.Addr) {
	var fit []netip.Addr
	for _, a := range pool {
		if a.Is4() == to.Unmap().Is4() {
			fit = append(fit, a)
		}
	}
	if len(fit) == 0 {
		return from
	}
	h := fnv.New64a()
	h.Write([]byte(host))
	return fit[(h.Sum64()>>32)%uint64(len(fit))] // the low bits of it are no good
}
