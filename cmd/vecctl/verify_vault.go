package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/agent/config"
	"github.com/vecctl/vecctl/agent/institutions"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf"
)

// Verdicts that come from a vault or from what the document is.
const (
	verdictRevoked   pdf.VerdictCode = "revoked"
	verdictReplaced  pdf.VerdictCode = "replaced"
	verdictNotIssued pdf.VerdictCode = "not_issued" // its code points to this vault, which did not issue it
	verdictOtherFile pdf.VerdictCode = "other_file" // the vault issued another file with this reference ID
	verdictNotKnown  pdf.VerdictCode = "not_known"  // of a badge: its signature could not be checked
	verdictExpired   pdf.VerdictCode = "expired"
	verdictPreview   pdf.VerdictCode = "preview" // no certificate
)

// askVault adds what the vault knows. It does not create a home, and it changes nothing if
// the vault cannot be reached.
func askVault(c *cli.Context, w environment, verdicts []verdict) {
	if !slices.ContainsFunc(verdicts, func(v verdict) bool { return len(v.references()) > 0 }) {
		return
	}
	if c.String("api") == "" {
		dir, err := homeDir(c, w)
		if err != nil {
			return
		}
		if exists, err := dir.Exists(); err != nil || !exists {
			return
		}
	}
	failed := func(v *verdict, err error) {
		message, _ := fault.Message(err)
		v.Vault = "the vault could not be asked: " + message
	}
	err := withSession(c, w, func(s *session) error {
		address := vaultAddress(c, w, s)
		for i := range verdicts {
			if v := &verdicts[i]; len(v.references()) > 0 {
				if err := v.compareWithVault(c.Context, s, address); err != nil {
					failed(v, err)
				}
			}
		}
		return nil
	})
	if err == nil {
		return
	}
	for i := range verdicts {
		if v := &verdicts[i]; len(v.references()) > 0 && v.Vault == "" {
			failed(v, err)
		}
	}
}

// references are those of the certificates that the file says to be, that of the last
// signature first.
func (v *verdict) references() []string {
	if v.Code == verdictPreview || v.Badge != nil { // a badge's status list says what counts
		return nil
	}
	var all []string
	if v.ReferenceID != "" {
		all = append(all, v.ReferenceID)
	}
	for _, s := range v.Signatures {
		if s.ReferenceID != "" && s.ReferenceID != sampleReference && !slices.Contains(all, s.ReferenceID) {
			all = append(all, s.ReferenceID)
		}
	}
	return all
}

// compareWithVault looks up the file's references. A certificate of the vault that somebody
// signed over in another name is still one of the vault.
func (v *verdict) compareWithVault(ctx context.Context, s *session, address string) error {
	for _, reference := range v.references() {
		found, err := findIssued(ctx, s, reference)
		if fault.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return err
		}
		applyVaultStatus(v, found)
		if v.Code == verdictOtherFile {
			v.compareIssuedProof(ctx, s, reference)
		}
		return nil
	}
	if !s.remote { // another vault may have issued it in place of this home
		found, err := s.Issued(ctx, v.SHA256)
		if err == nil {
			applyVaultStatus(v, found)
		}
		if !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	v.markNotIssued(ctx, address, s)
	return nil
}

// compareIssuedProof says whether a file differs from the one that was issued in its log proof: it
// may have been taken out, or be another one.
func (v *verdict) compareIssuedProof(ctx context.Context, s *session, reference string) {
	var file bytes.Buffer
	if _, err := s.Download(ctx, reference, &file); err != nil {
		return // what is known stays said
	}
	found, err := pdf.Verify(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil || !found.Valid {
		return
	}
	issued := newVerdict("", found)
	was, is := issued.logOf(), v.logOf()
	if was == nil || !was.Proven {
		return
	}
	if is == nil || !is.Proven {
		v.Code = verdictNoProof
		v.Sentence = fmt.Sprintf("Not valid: the file carries no log proof although it should: the vault issued it as entry %d of the log %s. The proof was taken out.", *was.Index, was.Origin)
	}
}

// vaultAddress returns the address of the vault's pages. It returns "" if another vault may
// have the same address: for the default address, and if this home sends batches to a
// remote vault or stands in front of one.
func vaultAddress(c *cli.Context, w environment, s *session) string {
	if s.remote {
		return s.Base()
	}
	status, err := s.AgentStatus(c.Context)
	if err != nil || status.BaseURL == config.DefaultBaseURL || status.Relay != "" {
		return ""
	}
	if dir, err := homeDir(c, w); err == nil {
		if sent, err := os.ReadDir(dir.Remote()); err == nil && len(sent) > 0 {
			return ""
		}
	}
	return status.BaseURL
}

// markNotIssued records that the vault did not issue the document. If the code points to this
// vault, the document is a forgery: no other vault can have issued it, and anyone can make a
// signature in any name.
func (v *verdict) markNotIssued(ctx context.Context, address string, s *session) {
	v.Vault = "this vault did not issue it"
	if !v.Valid || address == "" || !strings.HasPrefix(v.VerifyURL, strings.TrimSuffix(address, "/")+"/") {
		return
	}
	if s.remote && isPageShown(ctx, s, institutions.LinksBelow(address).Verify(v.ReferenceID)) {
		v.Vault = "not issued by the institution of this token"
		return
	}
	v.Valid, v.Code = false, verdictNotIssued
	v.Sentence = "Not genuine: its code points to this vault, which did not issue it. The signature does not change that."
}

// isPageShown reports whether a remote vault may have issued a document for another
// institution: a token shows the certificates of one institution, the page of a reference ID
// those of all. The caller passes the page's address, because a forger can choose the one in
// the code.
func isPageShown(ctx context.Context, s *session, page string) bool {
	ctx, stop := context.WithTimeout(ctx, 10*time.Second)
	defer stop()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, page, nil)
	if err != nil {
		return false // not a link of a vault
	}
	answer, err := s.Transport().RoundTrip(request)
	if err != nil {
		return true
	}
	return answer.Body.Close() == nil && answer.StatusCode != http.StatusNotFound
}

// findIssued looks up a reference ID, in a home among the certificates of all institutions. A
// remote server's view call may accept only UUIDs, so it searches the list there.
func findIssued(ctx context.Context, s *session, reference string) (client.Certificate, error) {
	if !s.remote {
		found, err := s.Certificate(ctx, reference)
		if fault.Is(err, fault.NotFound) {
			return s.Issued(ctx, reference)
		}
		return found, err
	}
	page, err := s.List(ctx, client.Filter{Search: reference})
	if err != nil {
		return client.Certificate{}, err
	}
	for _, c := range page.Data {
		if c.ReferenceID == reference {
			return c, nil
		}
	}
	return client.Certificate{}, fault.New(fault.NotFound, "Certificate not found.")
}

// applyVaultStatus adds the vault's answer: a certificate that is revoked or replaced is no
// longer valid, and neither is a file that the vault did not make.
func applyVaultStatus(v *verdict, issued client.Certificate) {
	v.Status = issued.Status.Value
	switch {
	case issued.Revocation != nil:
		v.Valid, v.Code = false, verdictRevoked
		v.Vault = fmt.Sprintf("revoked on %s: %s", issued.Revocation.At.Format(time.DateOnly), issued.Revocation.Reason)
		v.Sentence = "No longer valid: the certificate was " + v.Vault + "."
	case issued.SupersededBy != nil:
		v.Valid, v.Code = false, verdictReplaced
		v.Vault = "replaced by " + *issued.SupersededBy
		v.Sentence = "No longer valid: the certificate was replaced by a corrected one."
	case issued.Verified != nil && issued.Verified.SHA256 != "" && !issued.Verified.Is(v.SHA256):
		v.Vault = "issued here, but with another file"
		if v.Valid {
			v.Valid, v.Code = false, verdictOtherFile
			v.Sentence = "Not valid: the signature is intact, but the vault issued another file with this reference ID."
		}
	case issued.Expired(time.Now()):
		v.Valid, v.Code, v.Status = false, verdictExpired, "expired"
		v.Vault = fmt.Sprintf("issued here to %s, %s; valid until %s", issued.Name, issued.Title, issued.ExpiryDate)
		v.Sentence = "No longer valid: the certificate ended on " + issued.ExpiryDate + "."
	default:
		v.Vault = fmt.Sprintf("issued here to %s, %s", issued.Name, issued.Title)
		if issued.Remote != nil {
			v.Vault = fmt.Sprintf("issued by the vault at %s to %s, %s", issued.Remote.Vault, issued.Name, issued.Title)
		}
		if v.Code == pdf.VerdictValid && issued.Verified != nil && issued.Verified.Is(v.SHA256) {
			v.Code, v.Reason = pdf.VerdictTrusted, ""
			vouches := " This vault issued it."
			if issued.Remote != nil {
				vouches = " This vault had it issued by the one at " + issued.Remote.Vault + "."
			}
			v.Sentence = strings.Replace(v.Sentence, v.whoVouches, vouches, 1)
		}
	}
}
