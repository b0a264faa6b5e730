package service

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

// Limits of a check.
const (
	PageSize = 1 << 20
	PageTime = 10 * time.Second
	// recordTime is the limit for all resolvers: with the page, a check ends within 15 s.
	recordTime = 5 * time.Second
)

// HTTPClient fetches pages; *ssrf.Client is one.
type HTTPClient interface {
	Do(req *http.Request) (ssrf.Response, error)
}

// DomainValidator checks proofs of domains.
type DomainValidator struct {
	// Resolvers must all have the record: one that only some of them have may be an attack
	// on the network.
	Resolvers []*net.Resolver
	HTTP      HTTPClient
}

// minResolvers is how many resolvers must agree.
const minResolvers = 2

// Validate checks a domain's record, then its tag. If there is neither, it returns what it
// found.
func (p *DomainValidator) Validate(ctx context.Context, d authority.Domain) (authority.Proof, string) {
	noRecord := p.checkRecord(ctx, d)
	if noRecord == "" {
		return authority.ByRecord, ""
	}
	noTag := p.checkTag(ctx, d)
	if noTag == "" {
		return authority.ByTag, ""
	}
	return "", noRecord + "; " + noTag
}

// checkRecord returns why the TXT record is not a proof; "" if it is one.
func (p *DomainValidator) checkRecord(ctx context.Context, d authority.Domain) string {
	if len(p.Resolvers) < minResolvers {
		return "the record was not checked: at least two resolvers must be set"
	}
	ctx, cancel := context.WithTimeout(ctx, recordTime)
	defer cancel()
	answers := make(chan string, len(p.Resolvers))
	for _, r := range p.Resolvers {
		go func() { answers <- checkResolver(ctx, r, d) }()
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

// checkResolver returns why the answer of one resolver is not a proof; "" if it is one.
func checkResolver(ctx context.Context, r *net.Resolver, d authority.Domain) string {
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

// checkTag returns why the front page is not a proof; "" if it is one.
func (p *DomainValidator) checkTag(ctx context.Context, d authority.Domain) string {
	address := "https://" + d.Name + "/"
	ctx, cancel := context.WithTimeout(ctx, PageTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return address + " is no address"
	}
	req.Header.Set("Accept", "text/html")
	req.Header.Set("User-Agent", "vecctl-authority")
	page, err := p.HTTP.Do(req)
	if err != nil {
		if fault.Is(err, fault.Forbidden) {
			return address + " is not at a public address"
		}
		return address + " cannot be fetched"
	}
	switch {
	case page.Status != http.StatusOK:
		return fmt.Sprintf("%s answers with status %d", address, page.Status)
	case slices.Contains(verificationTags(page.Body), d.Token):
		return ""
	}
	return address + " has no such meta tag in its head"
}

// NewResolver returns a resolver that uses one server, an address with a port.
func NewResolver(server string) *net.Resolver {
	return &net.Resolver{PreferGo: true, StrictErrors: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, server)
	}}
}

// ParseServers parses the addresses of DNS servers. The default port is 53.
func ParseServers(list []string) ([]string, error) {
	var servers []string
	for _, one := range list {
		host, port, err := net.SplitHostPort(one)
		if err != nil {
			host, port = strings.Trim(one, "[]"), "53"
		}
		if net.ParseIP(host) == nil {
			return nil, fault.Newf(fault.Invalid, "%q is not the address of a DNS server; use an IP address such as 9.9.9.9", one)
		}
		servers = append(servers, net.JoinHostPort(host, port))
	}
	if distinct := slices.Compact(slices.Sorted(slices.Values(servers))); len(distinct) < minResolvers {
		return nil, fault.Newf(fault.Invalid, "%q has fewer than %d DNS servers; the proof of a domain needs that many servers that agree", strings.Join(list, ", "), minResolvers)
	}
	return servers, nil
}
