package web

import (
	"archive/tar"
	"bytes"
	"cmp"
	"context"
	"crypto/x509"
	"embed"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"filippo.io/torchwood"

	"github.com/vecctl/vecctl/agent/institutions"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/transparency"
	"github.com/vecctl/vecctl/pkg/vault"
)

//go:embed static
var staticFiles embed.FS

// siteStore is what is needed of the store.
type siteStore interface {
	logStore
	List(ctx context.Context, f store.Filter, page, perPage int) (store.Page, error)
}

// StaticSite makes everything that verification needs as files that need no server: what the
// verification pages show, in an index of 256 parts, the logs, and a page that judges files in
// the browser. The same state gives the same bytes.
type StaticSite struct {
	Store        siteStore
	Institutions *institutions.Registry
	Pages        *Pages
}

// siteCertificate is a certificate in the index.
type siteCertificate struct {
	VerifyAnswer

	Earlier []string `json:"earlier,omitempty"` // SHA-256 of files that were issued before, such as one without its time stamp
}

// siteInstitution is an institution with the certificate that it signs with now, and those that it
// signed with before.
type siteInstitution struct {
	Name              string    `json:"name"`
	CertificateSHA256 string    `json:"certificate_sha256"`
	Earlier           []siteKey `json:"earlier"`
}

// siteKey is a certificate that an institution signed with until its key was replaced.
type siteKey struct {
	CertificateSHA256 string    `json:"certificate_sha256"`
	File              string    `json:"file"`
	Until             time.Time `json:"until"`
}

// siteInfo is what a site says of itself.
type siteInfo struct {
	Latest       time.Time             `json:"latest"` // of the latest change that is in it
	BaseURL      string                `json:"base_url"`
	Certificates int                   `json:"certificates"`
	Institutions []siteInstitution     `json:"institutions"`
	Logs         []transparency.Listed `json:"logs"`
}

// siteRevocation is a line of the list of revoked and replaced certificates.
type siteRevocation struct {
	ReferenceID string            `json:"reference_id"`
	Status      vault.Validity    `json:"status"`
	Revocation  *VerifyRevocation `json:"revocation"`
	Successor   *string           `json:"superseded_by"`
}

// siteWriter writes one site.
type siteWriter struct {
	*StaticSite
	out     *tar.Writer
	info    siteInfo
	index   *siteSpool
	revoked []siteRevocation
	files   []string
}

// ServeHTTP answers with the files of the site as a tar archive. The last one lists all; an
// archive without it is not whole.
func (s *StaticSite) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/x-tar")
	if err := s.Write(r.Context(), w); err != nil && r.Context().Err() == nil {
		s.Pages.Log.Error("writing the static site failed", "error", err)
	}
}

// Write writes the site as a tar archive.
func (s *StaticSite) Write(ctx context.Context, w io.Writer) (err error) {
	index, err := newSiteSpool()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, index.Close()) }()
	site := &siteWriter{StaticSite: s, out: tar.NewWriter(w), index: index}
	site.info.BaseURL = s.Institutions.BaseURL()
	for _, step := range []func(context.Context) error{site.readCertificates, site.writeInstitutions, site.writeLogs, site.writeBadges, site.writeIndex, site.writePages} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	slices.Sort(site.files)
	if err := site.addJSON(adminclient.SiteManifest, map[string][]string{"files": site.files}); err != nil {
		return err
	}
	return site.out.Close()
}

// add adds a file.
func (w *siteWriter) add(name string, content []byte) error {
	if name != adminclient.SiteManifest {
		w.files = append(w.files, name)
	}
	if err := w.out.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content)), Format: tar.FormatPAX}); err != nil {
		return fmt.Errorf("write a site: %w", err)
	}
	_, err := w.out.Write(content)
	return err
}

func (w *siteWriter) addJSON(name string, v any) error {
	data, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return fmt.Errorf("write a site: %w", err)
	}
	return w.add(name, append(data, '\n'))
}

// addScript adds data as a call: a page that is opened as a file may not fetch, and may load
// scripts.
func (w *siteWriter) addScript(name, function string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write a site: %w", err)
	}
	return w.add(name, slices.Concat([]byte(function+"("), data, []byte(");\n")))
}

// readCertificates reads what is public of every certificate of every institution.
func (w *siteWriter) readCertificates(ctx context.Context) error {
	const perPage = 1000
	ids := w.Institutions.IDs()
	slices.Sort(ids)
	for _, id := range ids {
		for f := (store.Filter{Institution: id}); ; {
			page, err := w.Store.List(ctx, f, 1, perPage)
			if err != nil {
				return err
			}
			for _, c := range page.Certificates {
				if err := w.take(ctx, c); err != nil {
					return err
				}
				f.Below = c.ID
			}
			if len(page.Certificates) < perPage {
				break
			}
		}
	}
	return nil
}

// take adds a certificate to the index. Those that are not issued yet have nothing to verify.
func (w *siteWriter) take(ctx context.Context, c vault.Certificate) error {
	if validity := c.Validity(); !validity.Issued() && validity != vault.ValidityWithdrawn {
		return nil
	}
	found, err := w.Pages.verify.describe(ctx, c)
	if err != nil {
		return err
	}
	one := siteCertificate{VerifyAnswer: w.Pages.verify.toAPI(c.Reference, found)}
	if one.SHA256 != nil {
		one.Earlier = c.Verified.Earlier
	}
	data, err := json.Marshal(one)
	if err != nil {
		return fmt.Errorf("write a site: %w", err)
	}
	if err := w.index.add(sitePart(c.Reference), c.Reference, data); err != nil {
		return err
	}
	w.info.Certificates++
	for _, at := range []time.Time{c.CreatedAt, c.ApprovedAt} {
		w.seen(at)
	}
	if c.Revocation != nil {
		w.seen(c.Revocation.At)
	}
	if !one.Valid {
		w.revoked = append(w.revoked, siteRevocation{c.Reference, one.Validity, one.Revocation, one.Successor})
	}
	return nil
}

func (w *siteWriter) seen(at time.Time) {
	if at = at.UTC().Truncate(time.Second); at.After(w.info.Latest) {
		w.info.Latest = at
	}
}

// sitePart is the part of the index that has a reference ID: its last two digits.
func sitePart(reference string) string { return reference[max(0, len(reference)-2):] }

// writeInstitutions writes the certificates that institutions sign with, and signed with before.
func (w *siteWriter) writeInstitutions(context.Context) error {
	ids := w.Institutions.IDs()
	slices.Sort(ids)
	for _, id := range ids {
		one, ok := w.Institutions.ByID(id)
		stamper, err := w.Institutions.Stamper(id)
		if !ok || err != nil {
			continue // a key that was lost; the documents have its certificate
		}
		certificate := stamper.Certificate()
		if err := w.addCertificate(fmt.Sprintf("keys/institution-%d.pem", id), certificate); err != nil {
			return err
		}
		earlier, err := w.writeEarlierKeys(id)
		if err != nil {
			return err
		}
		w.info.Institutions = append(w.info.Institutions, siteInstitution{one.Name, institutions.FingerprintOf(certificate), earlier})
	}
	return w.addJSON("keys/keys.json", map[string][]siteInstitution{"institutions": w.info.Institutions})
}

// writeEarlierKeys writes the certificates that an institution signed with before.
func (w *siteWriter) writeEarlierKeys(institution uint32) ([]siteKey, error) {
	replaced, err := w.Institutions.KeyStore.ReplacedCertificates(institution)
	if err != nil {
		return nil, err
	}
	earlier := []siteKey{}
	for i, c := range replaced {
		name := fmt.Sprintf("keys/institution-%d-earlier-%d.pem", institution, i+1)
		if err := w.addCertificate(name, c.Certificate); err != nil {
			return nil, err
		}
		earlier = append(earlier, siteKey{institutions.FingerprintOf(c.Certificate), name, c.Until})
	}
	return earlier, nil
}

func (w *siteWriter) addCertificate(name string, c *x509.Certificate) error {
	return w.add(name, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
}

// writeLogs writes each log with the list of revocations that was last entered in it.
func (w *siteWriter) writeLogs(ctx context.Context) error {
	w.info.Logs = []transparency.Listed{}
	pages := logPages{Store: w.Store, Institutions: w.Institutions}
	var heads []vault.LogHead
	var owners []uint32
	err := pages.heads(ctx, func(i vault.Institution, head vault.LogHead) {
		heads, owners = append(heads, head), append(owners, i.ID)
		w.info.Logs = append(w.info.Logs, transparency.Listed{Institution: i.Name, Key: head.Key, Size: head.Size, URL: "log/" + vault.LogID(head.Key)})
	})
	if err != nil {
		return err
	}
	for i, head := range heads {
		if err := w.writeLog(ctx, head); err != nil {
			return err
		}
		list, err := pages.revocations(ctx, owners[i], head)
		if fault.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if err := w.add(transparency.LogPrefix(head.Key)+transparency.RevocationsFile, list); err != nil {
			return err
		}
	}
	return w.addJSON(transparency.ListPath, map[string][]transparency.Listed{"logs": w.info.Logs})
}

// writeLog writes a log as its tiles, and its checkpoint behind them.
func (w *siteWriter) writeLog(ctx context.Context, head vault.LogHead) error {
	prefix := transparency.LogPrefix(head.Key)
	for t := range transparency.AllTiles(head.Size) {
		path := torchwood.TilePath(t)
		tile, err := transparency.ReadTile(ctx, path, head.Size, storedLog{w.Store, head.Key})
		if err != nil {
			return err
		}
		if err := w.add(prefix+path, tile); err != nil {
			return err
		}
	}
	return w.add(prefix+"checkpoint", head.Checkpoint)
}

// writeBadges writes the documents of the institutions as issuers of badges, and their status lists,
// where there are badges.
func (w *siteWriter) writeBadges(ctx context.Context) error {
	badges := w.Pages.Badges
	if badges == nil {
		return nil
	}
	ids := w.Institutions.IDs()
	slices.Sort(ids)
	for _, id := range ids {
		keys, err := badges.Keys(id)
		if err != nil {
			return err
		}
		if len(keys) == 0 {
			continue
		}
		document, err := badges.DIDDocument(id)
		if err != nil {
			return err
		}
		names := []string{fmt.Sprintf("issuers/%d/did.json", id)}
		if id == 1 {
			names = append(names, "did.json", ".well-known/did.json")
		}
		for _, name := range names {
			if err := w.add(name, document); err != nil {
				return err
			}
		}
		lists, err := badges.Lists(ctx, id)
		if err != nil {
			return err
		}
		for _, n := range lists {
			list, err := badges.StatusList(ctx, id, n)
			if err != nil {
				return err
			}
			if err := w.add(fmt.Sprintf("credentials/status/%d/%d", id, n), list); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeIndex writes the index of certificates.
func (w *siteWriter) writeIndex(context.Context) error {
	for i := range 256 {
		part := fmt.Sprintf("%02X", i)
		entries, err := w.index.take(part)
		if err != nil {
			return err
		}
		if err := w.addScript("certificates/"+part+".js", "vecctlPart", entries); err != nil {
			return err
		}
	}
	if n := w.index.left(); n > 0 {
		return fmt.Errorf("%d reference IDs do not end in two hexadecimal digits", n)
	}
	slices.SortFunc(w.revoked, func(a, b siteRevocation) int { return cmp.Compare(a.ReferenceID, b.ReferenceID) })
	if w.revoked == nil {
		w.revoked = []siteRevocation{}
	}
	if err := w.addJSON("revocations.json", map[string][]siteRevocation{"revocations": w.revoked}); err != nil {
		return err
	}
	return w.addScript("certificates/site.js", "vecctlSite", w.info)
}

// writePages writes the page with its script.
func (w *siteWriter) writePages(context.Context) error {
	for _, name := range []string{"index.html", "check.js", "check.css"} {
		content, err := staticFiles.ReadFile("static/" + name)
		if err != nil {
			return fmt.Errorf("write a site: %w", err)
		}
		if err := w.add(name, bytes.ReplaceAll(content, []byte("\r\n"), []byte("\n"))); err != nil {
			return err
		}
	}
	return nil
}
