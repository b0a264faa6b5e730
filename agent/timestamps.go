package agent

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"time"

	"github.com/vecctl/vecctl/agent/config"
	"github.com/vecctl/vecctl/agent/health"
	"github.com/vecctl/vecctl/agent/results"
	"github.com/vecctl/vecctl/agent/signing"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/signer"
	"github.com/vecctl/vecctl/pkg/ssrf"
)

// timestampsPerCore is how many documents are in work at a time for each processor where time
// stamp servers or signers are asked: nearly all of a document's time is waiting for their answer.
const timestampsPerCore = 16

// NewTimestamper returns what asks the time stamp servers of the settings; nil where there are
// none.
func NewTimestamper(c config.Config, now func() time.Time) (*pdf.Timestamper, error) {
	o := c.Signing
	if len(o.TimestampServers) == 0 {
		return nil, nil //nolint:nilnil // absence is no error here and has no value
	}
	certificates, err := timestampRoots(o)
	if err != nil {
		return nil, err
	}
	var roots *x509.CertPool
	if len(certificates) > 0 {
		roots = x509.NewCertPool()
	}
	for _, c := range certificates {
		roots.AddCert(c)
	}
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: timestampsPerCore * runtime.GOMAXPROCS(0)}
	signers, err := newSigners(c)
	if err != nil {
		return nil, err
	}
	transport.RegisterProtocol("csc", signer.NewTimestampTransport(signers))
	return pdf.NewTimestamper(&http.Client{Transport: transport}, now, roots, o.TimestampServers...), nil
}

// timestampRoots reads the certificates of signing.timestamp_roots.
func timestampRoots(o config.Signing) (roots []*x509.Certificate, err error) {
	if o.TimestampRoots == "" {
		return nil, nil
	}
	body, err := os.ReadFile(o.TimestampRoots)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, fmt.Sprintf("the root certificates of time stamp servers in %s cannot be read; correct signing.timestamp_roots", o.TimestampRoots))
	}
	for {
		var block *pem.Block
		if block, body = pem.Decode(body); block == nil {
			break
		}
		if c, err := x509.ParseCertificate(block.Bytes); err == nil && block.Type == "CERTIFICATE" {
			roots = append(roots, c)
		}
	}
	if len(roots) == 0 {
		return nil, fault.Newf(fault.Invalid, "%s has no certificate in PEM; correct signing.timestamp_roots", o.TimestampRoots)
	}
	return roots, nil
}

// signingWorkers is how many documents are in work at a time.
func (a *Agent) signingWorkers() int {
	if a.timestamper == nil && !a.institutions.SignsElsewhere() {
		return runtime.GOMAXPROCS(0)
	}
	return timestampsPerCore * runtime.GOMAXPROCS(0)
}

// runTimestamps adds the time stamps that are owed.
func (a *Agent) runTimestamps(ctx context.Context) error {
	if a.timestamps == nil {
		return nil
	}
	return a.timestamps.Run(ctx)
}

// wireTimestamps makes what adds to verified PDFs later; it starts nothing.
func (a *Agent) wireTimestamps() error {
	folders := &results.Folders{Exporter: a.exporter, Home: a.Home, Store: a.store}
	if a.timestamper != nil {
		a.timestamps = signing.NewTimestampQueue(a.store, a.blobs, a.timestamper, a.Now, signing.TimestampOptions{Owner: a.owner, Workers: a.signingWorkers(), Results: folders, Log: a.Log})
	}
	known, err := timestampRoots(a.config.Signing)
	if err != nil {
		return err
	}
	client := ssrf.New(ssrf.Policy{AllowPlain: true, AllowPrivate: a.config.Signing.AllowPrivate, Timeout: signing.EvidenceTimeout, MaxBody: signing.MaxEvidence})
	a.preserve = signing.NewPreserveQueue(a.Now, signing.PreserveOptions{
		Owner: a.owner, Workers: a.signingWorkers(), Store: a.store, Blobs: a.blobs, Timestamper: a.timestamper, Evidence: signing.NewEvidence(client),
		Known: known, Results: folders, Events: &a.events, Alarm: health.Alarm{Health: a.health, Name: "levels"}, Log: a.Log,
	})
	return nil
}
