package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/agent/config"
	"github.com/vecctl/vecctl/agent/institutions"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf"
)

func verifyCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "verify", Usage: "check that a verified PDF is unchanged, and show who signed it", ArgsUsage: "FILE",
		Description: "The check needs no network and no vault. If a vault is available (the home, or --api), the command also\n" +
			"asks it whether the certificate was revoked or replaced. Exit code 0: valid; 1: not valid.",
		Flags: append(apiFlags(), outputFlags()...),
		Action: func(c *cli.Context) error {
			form, err := formatAndArgs(c, 1, "the file")
			if err != nil {
				return err
			}
			return runVerify(c, w, c.Args().First(), form)
		},
	}
}

// verdict is what "verify" prints.
type verdict struct {
	Valid       bool            `json:"valid"`
	Sentence    string          `json:"verdict"`
	ReferenceID string          `json:"reference_id,omitempty"`
	VerifyURL   string          `json:"verify_url,omitempty"`
	SHA256      string          `json:"sha256"`
	Status      string          `json:"status,omitempty"` // in the vault
	Vault       string          `json:"vault,omitempty"`  // the vault's answer, or why there is none
	Signatures  []signatureInfo `json:"signatures"`
}

type signatureInfo struct {
	Field           string    `json:"field"`
	SignedBy        string    `json:"signed_by"`
	Issuer          string    `json:"issuer"`
	SelfSigned      bool      `json:"self_signed"`
	Fingerprint     string    `json:"certificate_sha256"`
	SignedAt        time.Time `json:"signed_at"`
	Timestamped     bool      `json:"timestamped"`
	Intact          bool      `json:"intact"`
	CoversWholeFile bool      `json:"covers_whole_file"`
	Problem         string    `json:"problem,omitempty"`
}

func runVerify(c *cli.Context, w environment, path string, f outputFormat) error {
	v, err := verifyFile(path)
	if err != nil {
		return err
	}
	switch v.ReferenceID {
	case "":
	case sampleReference:
		v.Valid, v.Sentence = false, "Not a certificate: this is a preview of the QR code's place."
	default:
		checkVault(c, w, &v)
	}
	if err := printFields(w.stdout, f, v, verdictFields(v)); err != nil {
		return err
	}
	if !v.Valid {
		return exitStatus(exitFailed)
	}
	return nil
}

// verifyFile checks the file without a vault.
func verifyFile(path string) (verdict, error) {
	f, err := os.Open(path)
	if err != nil {
		return verdict{}, fault.Wrap(fault.Invalid, err, fmt.Sprintf("the file %s cannot be opened; check its name and permissions", path))
	}
	defer f.Close()
	hash := sha256.New()
	size, err := io.Copy(hash, f)
	if err != nil {
		return verdict{}, fault.Wrap(fault.Invalid, err, fmt.Sprintf("the file %s cannot be read", path))
	}
	found, err := pdf.Verify(f, size)
	if err != nil {
		return verdict{}, fault.At(path, err)
	}
	v := verdict{
		Valid: found.Valid, Sentence: found.Sentence, ReferenceID: found.ReferenceID, VerifyURL: found.URL,
		SHA256: hex.EncodeToString(hash.Sum(nil)), Signatures: []signatureInfo{},
	}
	for _, s := range found.Signatures {
		v.Signatures = append(v.Signatures, signatureInfo{
			Field: s.Field, SignedBy: s.SignedBy, Issuer: s.Issuer, SelfSigned: s.SelfSigned, Fingerprint: s.Fingerprint,
			SignedAt: s.SignedAt, Timestamped: s.Timestamped, Intact: s.Intact, CoversWholeFile: s.CoversWholeFile, Problem: s.Problem,
		})
	}
	return v, nil
}

// checkVault adds what the vault knows. It does not create a home, and it changes nothing if
// the vault cannot be reached.
func checkVault(c *cli.Context, w environment, v *verdict) {
	if c.String("api") == "" {
		dir, err := homeDir(c, w)
		if err != nil {
			return
		}
		if exists, err := dir.Exists(); err != nil || !exists {
			return
		}
	}
	err := withSession(c, w, func(s *session) error {
		found, err := findIssued(c.Context, s, v.ReferenceID)
		if fault.Is(err, fault.NotFound) {
			v.markNotIssued(c.Context, vaultAddress(c, w, s), s.remote)
			return nil
		}
		if err != nil {
			return err
		}
		applyVaultStatus(v, found)
		return nil
	})
	if err != nil {
		message, _ := fault.Message(err)
		v.Vault = "the vault could not be asked: " + message
	}
}

// vaultAddress returns the address of the vault's pages. It returns "" if another vault may
// have the same address: for the default address, and if this home sends batches to a
// remote vault.
func vaultAddress(c *cli.Context, w environment, s *session) string {
	if s.remote {
		return c.String("api")
	}
	status, err := s.AgentStatus(c.Context)
	if err != nil || status.BaseURL == config.DefaultBaseURL {
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
func (v *verdict) markNotIssued(ctx context.Context, address string, remote bool) {
	v.Vault = "this vault did not issue it"
	if !v.Valid || address == "" || !strings.HasPrefix(v.VerifyURL, strings.TrimSuffix(address, "/")+"/") {
		return
	}
	if remote && isPageShown(ctx, institutions.LinksBelow(address).Verify(v.ReferenceID)) {
		v.Vault = "not issued by the institution of this token"
		return
	}
	v.Valid, v.Sentence = false, "Not genuine: its code points to this vault, which did not issue it. The signature does not change that."
}

// isPageShown reports whether a remote vault may have issued a document for another
// institution: a token shows the certificates of one institution, the page of a reference ID
// those of all. The caller passes the page's address, because a forger can choose the one in
// the code.
func isPageShown(ctx context.Context, page string) bool {
	ctx, stop := context.WithTimeout(ctx, 10*time.Second)
	defer stop()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, page, nil)
	if err != nil {
		return false // not a link of a vault
	}
	answer, err := http.DefaultTransport.RoundTrip(request)
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
		v.Valid = false
		v.Vault = fmt.Sprintf("revoked on %s: %s", issued.Revocation.At.Format(time.DateOnly), issued.Revocation.Reason)
		v.Sentence = "No longer valid: the certificate was " + v.Vault + "."
	case issued.SupersededBy != nil:
		v.Valid = false
		v.Vault = "replaced by " + *issued.SupersededBy
		v.Sentence = "No longer valid: the certificate was replaced by a corrected one."
	case issued.Verified != nil && issued.Verified.SHA256 != "" && issued.Verified.SHA256 != v.SHA256:
		v.Vault = "issued here, but with another file"
		if v.Valid {
			v.Valid, v.Sentence = false, "Not valid: the signature is intact, but the vault issued another file with this reference ID."
		}
	default:
		v.Vault = fmt.Sprintf("issued here to %s, %s", issued.Name, issued.Title)
	}
}

func verdictFields(v verdict) [][2]string {
	valid := "no"
	if v.Valid {
		valid = "yes"
	}
	fields := [][2]string{
		{"verdict", v.Sentence}, {"valid", valid}, {"reference_id", v.ReferenceID}, {"verify_url", v.VerifyURL},
		{"status", v.Status}, {"vault", v.Vault}, {"sha256", v.SHA256},
	}
	for i, s := range v.Signatures {
		fields = append(fields, [2]string{fmt.Sprintf("signature_%d", i+1), signatureLine(s)},
			[2]string{"certificate_sha256", s.Fingerprint})
	}
	return fields
}

func signatureLine(s signatureInfo) string {
	line := "by " + s.SignedBy
	if s.SelfSigned {
		line += " (self-signed)"
	} else if s.Issuer != "" {
		line += " (certified by " + s.Issuer + ")"
	}
	if !s.SignedAt.IsZero() {
		line += " on " + s.SignedAt.Format(time.RFC3339)
	}
	if s.Timestamped {
		line += ", time-stamped"
	}
	if s.Problem != "" {
		line += ": " + s.Problem
	}
	return line
}
