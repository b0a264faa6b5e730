package agent

import (
	"context"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"time"

	"github.com/vecctl/vecctl/agent/config"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf"
)

// timestampsPerCore is how many documents are in work at a time for each processor where time
// stamp servers are asked: nearly all of a document's time is waiting for their answer.
const timestampsPerCore = 16

// NewTimestamper returns what asks the time stamp servers of the settings; nil where there are
// none.
func NewTimestamper(o config.Signing, now func() time.Time) (*pdf.Timestamper, error) {
	if len(o.TimestampServers) == 0 {
		return nil, nil //nolint:nilnil // absence is no error here and has no value
	}
	var roots *x509.CertPool
	if o.TimestampRoots != "" {
		body, err := os.ReadFile(o.TimestampRoots)
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, fmt.Sprintf("the root certificates of time stamp servers in %s cannot be read; correct signing.timestamp_roots", o.TimestampRoots))
		}
		if roots = x509.NewCertPool(); !roots.AppendCertsFromPEM(body) {
			return nil, fault.Newf(fault.Invalid, "%s has no certificate in PEM; correct signing.timestamp_roots", o.TimestampRoots)
		}
	}
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: timestampsPerCore * runtime.GOMAXPROCS(0)}
	return pdf.NewTimestamper(&http.Client{Transport: transport}, now, roots, o.TimestampServers...), nil
}

// signingWorkers is how many documents are in work at a time.
func (a *Agent) signingWorkers() int {
	if a.timestamper == nil {
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
