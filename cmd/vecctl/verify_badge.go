package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/openbadge"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/ssrf"
	"github.com/vecctl/vecctl/pkg/vault"
)

// badgeInfo is what "verify" says of a badge besides its verdict.
type badgeInfo struct {
	Form       string     `json:"form"`              // "json" or "jwt"
	Picture    string     `json:"picture,omitempty"` // that it is baked into
	Title      string     `json:"title"`
	Name       string     `json:"name,omitempty"`
	Issuer     string     `json:"issuer"`
	IssuerName string     `json:"issuer_name,omitempty"`
	Key        string     `json:"key,omitempty"`
	ValidFrom  *time.Time `json:"valid_from"`
	ValidUntil *time.Time `json:"valid_until"`
	Unknown    []string   `json:"not_known,omitempty"` // sentences about what was not found out
}

// maxBadge is more than any badge picture has bytes.
const maxBadge = 20 << 20

// readBadge returns a file that may be a badge; nil for others.
func readBadge(path string) []byte {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	head := make([]byte, 512)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) || !openbadge.IsBadge(head[:n]) {
		return nil
	}
	rest, err := io.ReadAll(io.LimitReader(f, maxBadge))
	if err != nil {
		return nil
	}
	return append(head[:n], rest...)
}

// verifyBadges judges those of the files that are badges, in place of what was said of them as PDFs.
func verifyBadges(c *cli.Context, w environment, verdicts []verdict) {
	found := map[int][]byte{}
	for i, v := range verdicts {
		if strings.EqualFold(filepath.Ext(v.File), ".pdf") {
			continue
		}
		if file := readBadge(v.File); file != nil {
			found[i] = file
		}
	}
	if len(found) == 0 {
		return
	}
	sources := &badgeSources{online: c.Bool("online")}
	judge := func() {
		by := openbadge.Verifier{Source: sources, Now: time.Now()}
		for i, file := range found {
			verdicts[i] = newBadgeVerdict(c.Context, verdicts[i].File, file, &by)
		}
	}
	if c.String("api") == "" && homeExists(c, w) {
		err := withSession(c, w, func(s *session) error {
			sources.session = s
			judge()
			return nil
		})
		if err == nil {
			return
		}
		sources.session = nil
	}
	judge()
}

// homeExists reports whether there is a home to ask.
func homeExists(c *cli.Context, w environment) bool {
	dir, err := homeDir(c, w)
	if err != nil {
		return false
	}
	exists, err := dir.Exists()
	return err == nil && exists
}

// badgeSources are where documents of issuers come from: the home, where it published them, and the
// network, where that may be asked.
type badgeSources struct {
	session *session // nil for none
	online  bool
}

// Document implements openbadge.Source.
func (b *badgeSources) Document(ctx context.Context, address string) ([]byte, error) {
	if b.session != nil {
		document, err := b.session.BadgeDocument(ctx, address)
		if err == nil || !b.online {
			return document, err
		}
	}
	if !b.online {
		return nil, fault.Newf(fault.Unavailable, "the network was not asked for %s (--online)", address)
	}
	return fetchDocument(ctx, address)
}

// fetchDocument reads a document of an issuer. The address comes out of the badge, so that private
// ones are not asked.
func fetchDocument(ctx context.Context, address string) ([]byte, error) {
	client := ssrf.New(ssrf.Policy{Timeout: 10 * time.Second, MaxBody: 4 << 20})
	defer client.Close()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fault.Newf(fault.Unavailable, "%q is no address", address)
	}
	request.Header.Set("Accept", "application/json, application/vc+ld+json, application/vc+jwt, */*")
	answer, err := client.Do(request)
	if err != nil {
		message, _ := fault.Message(err)
		return nil, fault.Newf(fault.Unavailable, "%s cannot be read: %s", address, message)
	}
	if answer.Status != http.StatusOK {
		return nil, fault.Newf(fault.Unavailable, "%s answers with status %d", address, answer.Status)
	}
	return []byte(answer.Body), nil
}

// newBadgeVerdict judges a badge.
func newBadgeVerdict(ctx context.Context, path string, file []byte, by *openbadge.Verifier) verdict {
	found, err := by.Verify(ctx, file)
	if err != nil {
		message, _ := fault.Message(err)
		return newVerdict(path, pdf.Verdict{Code: pdf.VerdictUnreadable, Sentence: "Not judged: " + message + "."})
	}
	v := verdict{File: path, Valid: found.Verdict == openbadge.VerdictValid, Code: pdf.VerdictCode(found.Verdict), Signatures: []signatureInfo{},
		Sentence: badgeSentence(found)}
	v.Badge = &badgeInfo{Form: found.Form, Picture: found.Picture, Title: found.Title, Name: found.Name, Issuer: found.Issuer, IssuerName: found.IssuedBy, Key: found.Key,
		ValidFrom: momentOrNull(found.ValidFrom), ValidUntil: momentOrNull(found.ValidUntil), Unknown: found.Unknown}
	if reference, ok := vault.FindReference(found.Evidence); ok {
		v.ReferenceID, v.VerifyURL = reference, found.Evidence
	}
	return v
}

func momentOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return new(t.UTC())
}

// badgeSentence says in words what a badge counts for.
func badgeSentence(found openbadge.Verification) string {
	by := found.Issuer
	if found.IssuedBy != "" {
		by = found.IssuedBy + " (" + found.Issuer + ")"
	}
	what := fmt.Sprintf("the badge %q", found.Title)
	switch found.Verdict {
	case openbadge.VerdictValid:
		if len(found.Unknown) > 0 {
			return fmt.Sprintf("Valid as far as it is known: %s is unchanged and was signed by %s; %s.", what, by, strings.Join(found.Unknown, "; "))
		}
		return fmt.Sprintf("Valid: %s is unchanged, was signed by %s, and was not revoked.", what, by)
	case openbadge.VerdictRevoked, openbadge.VerdictExpired, openbadge.VerdictNotYetValid:
		return fmt.Sprintf("Not valid: %s was signed by %s, but %s.", what, by, found.Reason)
	case openbadge.VerdictAltered, openbadge.VerdictForeignKey, openbadge.VerdictNotSigned:
		return fmt.Sprintf("Not valid: %s says that it is by %s, but %s.", what, by, found.Reason)
	case openbadge.VerdictNotKnown:
	}
	return fmt.Sprintf("Not judged: %s says that it is by %s; %s.", what, by, strings.Join(found.Unknown, "; "))
}

// badgeFields are the lines about a badge.
func badgeFields(v verdict) [][2]string {
	b := v.Badge
	fields := [][2]string{{"badge", b.Title}, {"name", b.Name}, {"issuer", b.Issuer}, {"issuer_name", b.IssuerName}, {"key", b.Key}, {"form", strings.TrimSpace(b.Form + " " + b.Picture)},
		{"valid_from", formatTime(b.ValidFrom)}, {"valid_until", formatTime(b.ValidUntil)}}
	fields = slices.DeleteFunc(fields, func(f [2]string) bool { return f[1] == "" })
	if len(b.Unknown) > 0 {
		fields = append(fields, [2]string{"not_known", strings.Join(b.Unknown, "; ")})
	}
	return fields
}
