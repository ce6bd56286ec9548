package certs

import (
	"crypto/tls"
	"fmt"
	"os"
	"sync"
	"time"
)

// lookAgain is how long a certificate is used before its files are looked at.
const lookAgain = 10 * time.Second

// Pair is a certificate chain and its key in two files.
type Pair struct {
	o         Options
	cert, key string
	host      string // whose self-signed certificate it is, which we make ourselves; "" for files of others
	aging     aging

	mu     sync.Mutex
	loaded *tls.Certificate
	stamp  stamp  // of what is loaded
	told   string // the last complaint, so that each is made once
	looked time.Time
}

// stamp tells versions of the two files apart.
type stamp struct {
	cert, key         time.Time
	certSize, keySize int64
}

// Files takes a certificate chain and its key in PEM. They are read at once, and
// again when the files change (certbot and others replace them); while what is
// there cannot be used, the last one that could stays in use, and the log tells.
func Files(cert, key string, o Options) (*Pair, error) {
	p := &Pair{o: o.filled(), cert: cert, key: key}
	if err := p.load(); err != nil {
		return nil, err
	}
	return p, nil
}

// Certificates gives the pair; the files are looked at now and then.
func (p *Pair) Certificates() []*tls.Certificate {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.o.Now().Sub(p.looked) >= lookAgain {
		p.look() // it has told the log
	}
	return []*tls.Certificate{p.loaded}
}

// Refresh looks at the files now, and tells the log of a certificate that ends soon.
func (p *Pair) Refresh() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	err := p.look()
	p.show()
	p.aging.tell(p.o, p.o.Name, p.cert, p.loaded.Leaf, "put a newer pair in place of the files; it is taken up by itself")
	return err
}

func (p *Pair) show() { expiry.WithLabelValues(p.o.Name).Set(float64(p.loaded.Leaf.NotAfter.Unix())) }

// Close takes the pair out of the metrics.
func (p *Pair) Close() { expiry.DeleteLabelValues(p.o.Name) }

// look loads the files if they are others than those in use. What cannot be used
// is logged once for each state of the files, not at every look.
func (p *Pair) look() error {
	p.looked = p.o.Now()
	var err error
	if p.host != "" && ending(p.loaded.Leaf, p.looked) {
		err = p.generate()
	}
	st, serr := p.stat()
	if err == nil {
		err = serr
	}
	if err == nil && st == p.stamp {
		p.told = ""
		return nil
	}
	if err == nil {
		err = p.load()
	}
	if err == nil {
		return nil
	}
	if tell := fmt.Sprint(st, err); tell != p.told {
		p.told = tell
		p.o.Log.Error("the new certificate cannot be used, the old one stays", "name", p.o.Name, "error", err, "expires", p.loaded.Leaf.NotAfter)
	}
	return err
}

func (p *Pair) stat() (stamp, error) {
	c, err := os.Stat(p.cert)
	if err != nil {
		return stamp{}, fmt.Errorf("certificate: %w", err)
	}
	k, err := os.Stat(p.key)
	if err != nil {
		return stamp{}, fmt.Errorf("key of certificate %s: %w", p.cert, err)
	}
	return stamp{c.ModTime(), k.ModTime(), c.Size(), k.Size()}, nil
}

func (p *Pair) load() error {
	st, err := p.stat()
	if err != nil {
		return err
	}
	pair, err := tls.LoadX509KeyPair(p.cert, p.key)
	if err != nil {
		return fmt.Errorf("certificate %s with key %s: %w", p.cert, p.key, err)
	}
	p.loaded, p.stamp, p.told, p.looked = &pair, st, "", p.o.Now()
	p.show()
	p.o.Log.Info("certificate loaded", "name", p.o.Name, "file", p.cert, "names", pair.Leaf.DNSNames, "expires", pair.Leaf.NotAfter)
	return nil
}
