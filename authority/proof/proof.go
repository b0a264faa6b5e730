// Package proof looks for the proof that a store holds a domain: a TXT record, or
// a meta tag in the domain's front page.
package proof

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/vecctl/vecctl/authority"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/ssrf"
)

// Bounds of a look.
const (
	PageSize = 1 << 20
	PageTime = 10 * time.Second
	// recordTime is for all resolvers: with the page, a look ends within 15 s.
	recordTime = 5 * time.Second
)

// Records asks one resolver for TXT records; *net.Resolver is one.
type Records interface {
	LookupTXT(ctx context.Context, name string) ([]string, error)
}

// Pages fetches pages; *ssrf.Client is one.
type Pages interface {
	Do(req *http.Request) (ssrf.Response, error)
}

// Prover looks for proofs.
type Prover struct {
	// Resolvers must all say the same: a record that one of them alone knows may have
	// been planted on the way.
	Resolvers []Records
	Pages     Pages
}

// fewest is how many resolvers must agree.
const fewest = 2

// Prove looks for a domain's record, then for its tag. Where it finds neither, it
// says what it met.
func (p *Prover) Prove(ctx context.Context, d authority.Domain) (authority.Proof, string) {
	noRecord := p.record(ctx, d)
	if noRecord == "" {
		return authority.ByRecord, ""
	}
	noTag := p.tag(ctx, d)
	if noTag == "" {
		return authority.ByTag, ""
	}
	return "", noRecord + "; " + noTag
}

// record says why the TXT record is no proof, "" when it is.
func (p *Prover) record(ctx context.Context, d authority.Domain) string {
	if len(p.Resolvers) < fewest {
		return "no record was looked for: at least two resolvers must be set"
	}
	ctx, cancel := context.WithTimeout(ctx, recordTime)
	defer cancel()
	answers := make(chan string, len(p.Resolvers))
	for _, r := range p.Resolvers {
		go func() { answers <- ask(ctx, r, d) }()
	}
	var why string
	with := 0
	for range p.Resolvers {
		if one := <-answers; one == "" {
			with++
		} else {
			why = one
		}
	}
	switch with {
	case len(p.Resolvers):
		return ""
	case 0:
		return why
	}
	return fmt.Sprintf("the resolvers disagree on the TXT record at %s (%d of %d have it); wait until it has spread", d.RecordName(), with, len(p.Resolvers))
}

// ask says what one resolver lacks.
func ask(ctx context.Context, r Records, d authority.Domain) string {
	records, err := r.LookupTXT(ctx, d.RecordName())
	if failed, ok := errors.AsType[*net.DNSError](err); err != nil && (!ok || !failed.IsNotFound) {
		return "a resolver did not answer for the TXT record at " + d.RecordName()
	}
	switch {
	case slices.Contains(records, d.Record()):
		return ""
	case len(records) > 0:
		return "the TXT record at " + d.RecordName() + " says something else"
	}
	return "there is no TXT record at " + d.RecordName()
}

// tag says why the front page is no proof, "" when it is.
func (p *Prover) tag(ctx context.Context, d authority.Domain) string {
	address := "https://" + d.Name + "/"
	ctx, cancel := context.WithTimeout(ctx, PageTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return address + " is no address"
	}
	req.Header.Set("Accept", "text/html")
	req.Header.Set("User-Agent", "vecctl-authority")
	page, err := p.Pages.Do(req)
	if err != nil {
		if fault.Is(err, fault.Forbidden) {
			return address + " is not at a public address"
		}
		return address + " cannot be fetched"
	}
	switch {
	case page.Status != http.StatusOK:
		return fmt.Sprintf("%s answers with status %d", address, page.Status)
	case slices.Contains(tags(page.Body), d.Token):
		return ""
	}
	return address + " has no such meta tag in its head"
}

// NewResolver makes a resolver that asks one server, an address with a port.
func NewResolver(server string) *net.Resolver {
	return &net.Resolver{PreferGo: true, StrictErrors: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, server)
	}}
}

// ParseServers reads a list of DNS servers with commas between them. A server
// without a port has the usual one.
func ParseServers(list string) ([]string, error) {
	var servers []string
	for one := range strings.SplitSeq(list, ",") {
		one = strings.TrimSpace(one)
		if one == "" {
			continue
		}
		host, port, err := net.SplitHostPort(one)
		if err != nil {
			host, port = strings.Trim(one, "[]"), "53"
		}
		if net.ParseIP(host) == nil {
			return nil, fault.Newf(fault.Invalid, "%q is not the address of a DNS server; want one such as 9.9.9.9", one)
		}
		servers = append(servers, net.JoinHostPort(host, port))
	}
	if distinct := slices.Compact(slices.Sorted(slices.Values(servers))); len(distinct) < fewest {
		return nil, fault.Newf(fault.Invalid, "%q names fewer than %d DNS servers; a domain's proof needs that many that agree", list, fewest)
	}
	return servers, nil
}
