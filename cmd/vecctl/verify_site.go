package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/transparency"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Verdicts that come from what is published.
const (
	verdictNoProof pdf.VerdictCode = "proof_removed" // the file carries no log proof although it was issued with one
	verdictForked  pdf.VerdictCode = "log_forked"    // the published log is not the one that the file's proof is of
)

// loggedInfo says since when it is in a log that a certificate was revoked or replaced.
type loggedInfo struct {
	Log   string    `json:"log"`   // its name
	Entry int64     `json:"entry"` // index
	Since time.Time `json:"since"`
}

// publishedSite is what is published, in a static site or by an agent, as far as it was read.
type publishedSite struct {
	publication transparency.Publication
	listed      []transparency.Listed
	logs        map[string]*transparency.PublishedLog // by key
	revocations []*transparency.RevocationList
	parts       map[string][]siteEntry // of the index, where there is one
}

// siteEntry is what a static site's index says of a certificate.
type siteEntry struct {
	Reference string `json:"reference_id"`
	SHA256    string `json:"sha256"`
	Log       *struct {
		ID    string `json:"id"`
		Index int64  `json:"index"`
	} `json:"log"`
}

// askSite adds what the published site at an address or in a folder says. The error is that it
// could not be read.
func askSite(c *cli.Context, w environment, where string, verdicts []verdict) error {
	publication, location, err := publicationAt(c, w, where)
	if err != nil {
		return err
	}
	site, err := openPublishedSite(c.Context, publication)
	if fault.Is(err, fault.NotFound) {
		return fault.Wrap(fault.NotFound, err, fmt.Sprintf("no log is published at %s: it has no %s", location, transparency.ListPath))
	}
	if err != nil {
		return err
	}
	for i := range verdicts {
		if v := &verdicts[i]; v.Code != verdictPreview && len(v.Signatures) > 0 {
			if err := v.compareWithSite(c.Context, site); err != nil {
				return err
			}
		}
	}
	return nil
}

// openPublishedSite reads the logs that are published, each with its list of revocations. Lists are
// read first: a log only grows, so that it has what an older list says.
func openPublishedSite(ctx context.Context, p transparency.Publication) (*publishedSite, error) {
	site := &publishedSite{publication: p, logs: map[string]*transparency.PublishedLog{}, parts: map[string][]siteEntry{}}
	var err error
	if site.listed, err = transparency.ReadList(ctx, p); err != nil {
		return nil, err
	}
	for _, l := range site.listed {
		list, err := transparency.ReadRevocations(ctx, p, l.Key)
		if err == nil {
			site.revocations = append(site.revocations, list)
		} else if !fault.Is(err, fault.NotFound) {
			return nil, err
		}
		if site.logs[l.Key], err = transparency.OpenPublishedLog(ctx, p, l.Key); err != nil {
			return nil, err
		}
	}
	return site, nil
}

// find returns what the index says of a certificate; nil where there is no index, or nothing.
func (s *publishedSite) find(ctx context.Context, reference string) (*siteEntry, error) {
	if len(reference) < 2 || !vault.IsReference(reference) {
		return nil, nil //nolint:nilnil // absence is no error here and has no value
	}
	part := reference[len(reference)-2:]
	if _, read := s.parts[part]; !read {
		data, err := s.publication.ReadFile(ctx, "certificates/"+part+".js")
		if fault.Is(err, fault.NotFound) {
			return nil, nil //nolint:nilnil // an agent has no such index
		}
		if err != nil {
			return nil, err
		}
		data = bytes.TrimSuffix(bytes.TrimPrefix(bytes.TrimSpace(data), []byte("vecctlPart(")), []byte(");"))
		var entries []siteEntry
		if err := json.Unmarshal(data, &entries); err != nil {
			return nil, fault.Wrap(fault.Damaged, err, fmt.Sprintf("certificates/%s.js of the site cannot be read; export the site again", part))
		}
		s.parts[part] = entries
	}
	at := slices.IndexFunc(s.parts[part], func(e siteEntry) bool { return e.Reference == reference })
	if at < 0 {
		return nil, nil //nolint:nilnil // absence is no error here and has no value
	}
	return &s.parts[part][at], nil
}

// compareWithSite compares a file with what is published.
func (v *verdict) compareWithSite(ctx context.Context, site *publishedSite) error {
	reference := ""
	if all := v.references(); len(all) > 0 {
		reference = all[0]
	}
	entry, err := site.find(ctx, reference)
	if err != nil {
		return err
	}
	if err := v.compareProof(ctx, site, entry); err != nil {
		return err
	}
	if err := v.compareRevocations(ctx, site, reference); err != nil {
		return err
	}
	v.Site = strings.TrimSpace(v.Site)
	return nil
}

// say adds a sentence about what is published.
func (v *verdict) say(format string, args ...any) { v.Site += fmt.Sprintf(format, args...) + " " }

// refuse makes a file not valid, unless it is not for another reason.
func (v *verdict) refuse(code pdf.VerdictCode, sentence string) {
	if v.Valid {
		v.Valid, v.Code, v.Reason, v.Sentence = false, code, "", sentence
	}
}

// logOf is the last signature that says something of a log; nil where none does.
func (v *verdict) logOf() *logInfo {
	for _, s := range slices.Backward(v.Signatures) {
		if s.Log != nil {
			return s.Log
		}
	}
	return nil
}

// compareProof compares the proof in a file with the published log.
func (v *verdict) compareProof(ctx context.Context, site *publishedSite, entry *siteEntry) error {
	l := v.logOf()
	switch {
	case l == nil && entry != nil && entry.Log != nil && entry.SHA256 == v.SHA256:
		v.say("The certificate entered the log after it was issued, as entry %d of %s.", entry.Log.Index, entry.Log.ID)
	case l == nil:
		v.say("The signature names no log.")
	case !l.Proven && entry != nil && entry.Log != nil:
		v.refuse(verdictNoProof, "Not valid: the file carries no log proof although it should: the published index has it as an entry of the log. The proof was taken out.")
	case !l.Proven:
		v.say("The file carries no log proof although its signature names a log.")
	case site.logs[l.Key] == nil:
		v.say("The log that the signature names is not published here.")
	default:
		if err := v.compareTree(ctx, site.logs[l.Key], l); err != nil {
			return err
		}
	}
	if entry != nil && entry.SHA256 != v.SHA256 && (l == nil || !l.Proven || entry.Log == nil || *l.Index != entry.Log.Index || vault.LogID(l.Key) != entry.Log.ID) {
		v.refuse(verdictOtherFile, "Not valid: the signature is intact, but another file was issued with this reference ID.")
	}
	return nil
}

// compareTree compares the checkpoint of a proof with the log that is published now.
func (v *verdict) compareTree(ctx context.Context, log *transparency.PublishedLog, l *logInfo) error {
	if l.TreeSize > log.Checkpoint.Size {
		v.say("The published log has %d entries, and the file's proof is of %d: what is published is older than the file, or entries were removed.", log.Checkpoint.Size, l.TreeSize)
		return nil
	}
	err := log.Continues(ctx, l.checkpoint)
	if fault.Is(err, fault.Conflict) {
		v.refuse(verdictForked, fmt.Sprintf("Not valid: the published log is not the one that the file's proof is of: its first %d entries are others. The log was rewritten.", l.TreeSize))
		return nil
	}
	if err == nil {
		v.say("It is entry %d of the published log, which has %d entries now.", *l.Index, log.Checkpoint.Size)
	}
	return err
}

// compareRevocations looks whether the certificate is in a published list of revocations, and
// since when that is in a log.
func (v *verdict) compareRevocations(ctx context.Context, site *publishedSite, reference string) error {
	for _, list := range site.revocations {
		line := list.Find(reference)
		if line < 0 {
			continue
		}
		since, err := list.LoggedSince(ctx, site.logs[list.Key], line)
		if err != nil {
			return err
		}
		r := list.Revocations[line]
		v.Logged = &loggedInfo{list.Origin, since.Entry, since.At}
		where := fmt.Sprintf("That is in the log since %s (entry %d of %s).", since.At.UTC().Format(time.DateOnly), since.Entry, list.Origin)
		v.Valid, v.Code, v.Reason, v.Status = false, verdictRevoked, "", r.Status
		if r.Status == string(vault.ValiditySuperseded) {
			v.Code = verdictReplaced
			v.Sentence = fmt.Sprintf("No longer valid: the certificate was replaced by %s on %s. %s", r.Successor, r.At.UTC().Format(time.DateOnly), where)
		} else {
			v.Sentence = fmt.Sprintf("No longer valid: the certificate was revoked on %s. %s", r.At.UTC().Format(time.DateOnly), where)
		}
		return nil
	}
	for _, list := range site.revocations {
		at, err := list.At()
		if err != nil {
			return err
		}
		v.say("It is not in the list of revocations of %s, which is in the log.", at.UTC().Format(time.DateOnly))
	}
	if len(site.revocations) == 0 {
		v.say("No list of revocations is published.")
	}
	return nil
}
