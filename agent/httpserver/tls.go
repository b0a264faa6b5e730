package httpserver

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
)

// NewTLSListener puts TLS over a listener, with the certificate of two PEM files.
func NewTLSListener(l net.Listener, certFile, keyFile string, now func() time.Time) (net.Listener, error) {
	if certFile == "" || keyFile == "" {
		return nil, fault.New(fault.Invalid, "HTTPS needs a certificate and its key: give both --tls-cert and --tls-key")
	}
	p := &certificateReloader{certFile: certFile, keyFile: keyFile, now: now}
	if err := p.load(); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, fmt.Sprintf(
			"the certificate %s and its key %s cannot be used: they must be PEM files that belong together", certFile, keyFile))
	}
	return tls.NewListener(l, &tls.Config{
		MinVersion: tls.VersionTLS12, GetCertificate: p.getCertificate, NextProtos: []string{"h2", "http/1.1"},
	}), nil
}

// certificateReloader is a certificate in two files, which are read again when they change: it
// is renewed while the agent runs.
type certificateReloader struct {
	certFile, keyFile string
	now               func() time.Time

	mu        sync.Mutex
	loaded    *tls.Certificate
	modTime   time.Time // of the newer of the files
	checkedAt time.Time
}

// checkInterval is how often the files are looked at.
const checkInterval = 30 * time.Second

func (p *certificateReloader) load() error {
	modTime, err := p.lastModified()
	if err != nil {
		return err
	}
	made, err := tls.LoadX509KeyPair(p.certFile, p.keyFile)
	if err != nil {
		return err
	}
	p.loaded, p.modTime, p.checkedAt = &made, modTime, p.now()
	return nil
}

// lastModified is when the files were last changed.
func (p *certificateReloader) lastModified() (time.Time, error) {
	var last time.Time
	for _, name := range []string{p.certFile, p.keyFile} {
		info, err := os.Stat(name)
		if err != nil {
			return last, err
		}
		if at := info.ModTime(); at.After(last) {
			last = at
		}
	}
	return last, nil
}

// getCertificate is the present one. Files that cannot be used, halfway through a
// renewal for one, leave the old one in its place.
func (p *certificateReloader) getCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now().Sub(p.checkedAt) >= checkInterval {
		p.checkedAt = p.now()
		if modTime, err := p.lastModified(); err == nil && !modTime.Equal(p.modTime) {
			_ = p.load()
		}
	}
	return p.loaded, nil
}
