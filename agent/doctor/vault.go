package doctor

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/signer"
	"github.com/vecctl/vecctl/pkg/vault"
)

// keyCheck is the name of what is found of signing keys.
const keyCheck = "signing-key"

// keys looks at the signing keys that are there, and asks the agent for those that are not.
func (p Target) keys(ctx context.Context) []Finding {
	found := p.keyFiles()
	for _, problem := range p.lostKeys(ctx) {
		// A damaged file was found already.
		if !slices.ContainsFunc(p.Keys, func(path string) bool { return strings.Contains(problem.Message, path) && fileExists(path) }) {
			found = append(found, failure(keyCheck, "vecctl key rotate, or vecctl key import, unless the file is put back from a backup", "%s", problem.Message)...)
		}
	}
	if found == nil {
		return warning(keyCheck, "", "there is no signing key yet; one is made when it is needed")
	}
	return found
}

// lostKeys are the keys that the agent misses.
func (p Target) lostKeys(ctx context.Context) []adminclient.Problem {
	if p.Vault == nil {
		return nil
	}
	status, err := p.Vault.AgentStatus(ctx)
	if err != nil {
		return nil // another check asks again, and says so
	}
	return slices.DeleteFunc(slices.Clone(status.Problems), func(one adminclient.Problem) bool { return one.Kind != adminclient.KeyLostProblem })
}

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func (p Target) keyFiles() []Finding {
	const check = keyCheck
	var found []Finding
	for _, path := range p.Keys {
		body, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			found = append(found, failure(check, "run vecctl as the home's owner", "the signing key %s cannot be read: %v", path, err)...)
			continue
		}
		certificate, err := certificateOf(body)
		if err != nil {
			found = append(found, failure(check, "restore it from a backup", "the signing key %s is damaged: %s", path, errorText(err))...)
			continue
		}
		end := certificate.NotAfter
		left := end.Sub(p.Now())
		const renew = "vecctl key rotate, or vecctl key import; what was signed before stays valid"
		switch {
		case left <= 0:
			found = append(found, failure(check, renew, "the signing key %s has ended on %s", path, end.Format(time.DateOnly))...)
		case left < vault.KeyEndWarning:
			found = append(found, failure(check, renew, "the signing key %s ends on %s, in %d days", path, end.Format(time.DateOnly), days(left))...)
		default:
			found = append(found, ok(check, "the signing key is valid until %s", end.Format(time.DateOnly))...)
		}
	}
	return found
}

// certificateOf returns the certificate of a key file, or of a record of where a key lies.
func certificateOf(body []byte) (*x509.Certificate, error) {
	if _, certs, found, err := signer.ParsePEM(body); found || err != nil {
		if err != nil {
			return nil, err
		}
		return certs[0], nil
	}
	own, err := pdf.LoadSigner(body, body)
	if err != nil {
		return nil, err
	}
	return own.Certificate(), nil
}

func errorText(err error) string {
	if message, ok := fault.Message(err); ok {
		return message
	}
	return err.Error()
}

// vault asks the agent, or the one in this process, for what only it knows.
func (p Target) vault(ctx context.Context) []Finding {
	if p.Vault == nil {
		return single(*p.OpenFailure)
	}
	var found []Finding
	if p.Running {
		found = ok("agent", "the agent runs")
	} else {
		found = warning("agent", "vecctl agent, or vecctl agent install", "no agent runs; commands work without one, the drop folder does not")
	}
	status, err := p.Vault.AgentStatus(ctx)
	if err != nil {
		return append(found, failure("database", "restore the home from a backup", "%s", errorText(err))...)
	}
	for _, problem := range status.Problems {
		// The keys have a check of their own, which says as well why issuing is paused.
		isAboutKey := func(other adminclient.Problem) bool {
			return other.Kind == adminclient.KeyLostProblem && strings.HasPrefix(problem.Message, other.Message)
		}
		if problem.Kind == adminclient.KeyProblem || problem.Kind == adminclient.ClockProblem || slices.ContainsFunc(status.Problems, isAboutKey) {
			continue
		}
		found = append(found, failure(problem.Kind, "see the message", "%s", problem.Message)...)
	}
	if _, err := p.Vault.Keys(ctx); err != nil {
		found = append(found, failure("keys", "restore the folder keys of the home from a backup", "%s", errorText(err))...)
	}
	found = append(found, p.timeZone(status)...)
	newest, records, texts, err := p.sample(ctx)
	if err != nil {
		if p.Deep {
			found = append(found, p.everything(ctx)...)
		}
		return append(found, failure("database", "stop the agent and restore the home from a backup", "%s", errorText(err))...)
	}
	found = append(found, ok("database", "it opens, and %d records that were looked at are sound", records)...)
	if p.Deep {
		found = append(found, p.everything(ctx)...)
	}
	found = append(found, p.printableNames(texts)...)
	return append(found, p.clock(newest, status.Problems)...)
}

// everything has every record and every document read.
func (p Target) everything(ctx context.Context) (found []Finding) {
	const check = "deep"
	const fix = "stop the agent and restore the home from a backup"
	v, err := p.Vault.VerifyHome(ctx)
	if err != nil {
		return failure(check, fix, "%s", errorText(err))
	}
	for _, d := range v.Damage {
		where := d.File
		if d.Kind != "document" {
			where = fmt.Sprintf("%s, %s, key %s", d.File, d.Kind, d.Key)
		}
		if d.UUID != "" {
			where += " (of " + d.UUID + ")"
		}
		remedy := fix
		if d.Kind == "document" {
			remedy = "restore this file from a backup"
		}
		found = append(found, failure(check, remedy, "%s: damaged: %s", where, d.Message)...)
	}
	if v.More > 0 {
		found = append(found, failure(check, fix, "and %d more", v.More)...)
	}
	if found == nil {
		return ok(check, "all %d records and %d documents are what was written", v.Records, v.Documents)
	}
	return found
}

// printableNames looks whether names can be printed. Templates are held to their own fonts
// when they are checked; the report of a batch takes what it finds.
func (p Target) printableNames(texts []string) []Finding {
	const check, most = "fonts", 8
	if p.MissingCharacters == nil || len(texts) == 0 {
		return nil
	}
	missing, err := p.MissingCharacters(texts)
	switch {
	case err != nil:
		return failure(check, "fix what the message names", "%s", errorText(err))
	case len(missing) == 0:
		return ok(check, "the fonts here hold all letters of names that were looked at")
	}
	shown := strings.Join(missing[:min(len(missing), most)], " ")
	if more := len(missing) - most; more > 0 {
		shown += fmt.Sprintf(" and %d more", more)
	}
	return warning(check, "install a TrueType font (.ttf, not .ttc or .otf) that does, such as Debian's fonts-nanum for Korean or fonts-droid-fallback for Chinese, "+
		"or put one into a folder of templates/ in the home, or name it: vecctl batch report --font FILE",
		"no font here holds %s, which stand in names; the report of a batch prints their numbers instead", shown)
}

func (p Target) timeZone(s adminclient.AgentStatus) []Finding {
	const check = "time-zone"
	const fix = "vecctl init --time-zone Europe/Warsaw, for example"
	if _, err := time.LoadLocation(s.TimeZone); err != nil || s.TimeZone == "" {
		return failure(check, fix, "the institution's time zone %q is not known", s.TimeZone)
	}
	if s.TimeZone == "UTC" || s.TimeZone == "Etc/UTC" {
		return warning(check, fix, "the institution's time zone is UTC; if that is not meant, certificates get yesterday's or tomorrow's date at night")
	}
	return ok(check, "dates are meant in %s", s.TimeZone)
}

// sample reads certificates from all over the database, each of which is checked
// against its checksum, and a few verified PDFs. Texts are the names and titles on them.
func (p Target) sample(ctx context.Context) (newest time.Time, records int, texts []string, err error) {
	const pages, perPage, documents = 8, 100, 3
	last, before := 1, 0
	for i := range pages {
		n := 1 + i*max(last-1, 0)/(pages-1)
		if n == before {
			continue
		}
		before = n
		page, err := p.Vault.List(ctx, client.Filter{Page: n, PerPage: perPage})
		if err != nil {
			return newest, records, texts, err
		}
		if i == 0 {
			last = page.Meta.LastPage
			if len(page.Data) > 0 {
				newest = page.Data[0].CreatedAt
			}
		}
		records += len(page.Data)
		for _, c := range page.Data {
			texts = append(texts, c.Name, c.Title)
		}
		for _, c := range page.Data[:min(len(page.Data), documents)] {
			if err := p.checkDocument(ctx, c); err != nil {
				return newest, records, texts, err
			}
		}
	}
	return newest, records, texts, nil
}

func (p Target) checkDocument(ctx context.Context, c client.Certificate) error {
	if !c.Status.Is(vault.Approved) || c.Verified == nil {
		return nil
	}
	sum := sha256.New()
	if _, err := p.Vault.Download(ctx, c.UUID, sum); err != nil {
		return fault.At("the verified PDF of "+c.ReferenceID, err)
	}
	if hex.EncodeToString(sum.Sum(nil)) != c.Verified.SHA256 {
		return fault.Newf(fault.Damaged, "the verified PDF of %s is not what was signed", c.ReferenceID)
	}
	return nil
}

// earliestClock is before any time at which this program can run.
var earliestClock = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

// clock looks whether the time can be right.
func (p Target) clock(newest time.Time, problems []adminclient.Problem) []Finding {
	const check = "clock"
	const fix = "set the clock, and keep it right with NTP"
	const latest = 2100
	now := p.Now()
	switch {
	case now.Before(earliestClock), now.Year() >= latest:
		return failure(check, fix, "the clock says %s", now.Format(time.DateTime))
	case p.Timestamper != nil && vault.DescribeClock(now, time.Time{}, p.Timestamper.Skew()) != "":
		return failure(check, fix, "%s", vault.DescribeClock(now, time.Time{}, p.Timestamper.Skew()))
	case newest.After(now.Add(time.Minute)):
		return failure(check, fix, "the clock says %s, but a certificate was issued at %s", now.Format(time.DateTime), newest.Local().Format(time.DateTime))
	}
	for _, problem := range problems {
		if problem.Kind == adminclient.ClockProblem {
			return failure(check, fix, "%s", problem.Message)
		}
	}
	return ok(check, "the clock says %s", now.Format(time.DateTime))
}
