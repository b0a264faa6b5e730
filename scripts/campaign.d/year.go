//go:build linux

package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/csv"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/vault"
)

// year plays a year and a day in a home, with a program that can be told the time, and looks each
// day at what people see: tokens, share links, keys, certifications, reminders and retention.
type year struct{}

// counts are the days that are visited. A short run visits those around which something changes.
func (year) counts() (short, full int) { return len(eventfulDays), 367 }

var eventfulDays = []int{0, 1, 31, 89, 91, 100, 139, 141, 171, 194, 199, 201, 205, 334, 336, 364, 366}

// The days on which something ends or is done.
const (
	tokenDays    = 90  // until the first token expires
	reshareDay   = 100 // the share link of the first certificate is replaced
	setBackDay   = 171 // the clock is set back by an hour in the middle of the work
	keyDays      = 200 // until the imported key ends
	rotateDay    = 205 // it is replaced
	expiringDay  = 335 // the certification is announced to expire, 30 days ahead
	mailDays     = 60  // mails are kept
	deliveryDays = 30  // deliveries of webhooks are kept
	cleanEvery   = 30  // days between two looks at what retention has left
)

// run implements campaign.
func (year) run(ctx context.Context, s setup, count int, r *result) error {
	if s.clocked == "" {
		return cannotRun("it needs a program that can be told the time: --clocked FILE")
	}
	days := eventfulDays
	if count > len(eventfulDays) {
		days = make([]int, count)
		for i := range days {
			days[i] = i
		}
	}
	s.vecctl = s.clocked
	y := &yearRun{result: r, clock: filepath.Join(s.dir, "clock"), begin: time.Now().UTC().Truncate(time.Second)}
	if err := y.setTime(y.begin); err != nil {
		return err
	}
	if err := os.Setenv("VECCTL_CLOCK", y.clock); err != nil {
		return err
	}
	defer func() { _ = os.Unsetenv("VECCTL_CLOCK") }()
	var err error
	if y.site, err = newSite(ctx, s, s.dir, filepath.Join(s.dir, "inbox")); err != nil {
		return err
	}
	defer y.close()
	y.env = append(y.env, fmt.Sprintf("VECCTL_RETENTION_MAILS=%d", mailDays), fmt.Sprintf("VECCTL_RETENTION_DELIVERIES=%d", deliveryDays))
	if err := y.prepare(ctx); err != nil {
		return err
	}
	for _, day := range days {
		if err := y.live(ctx, day); err != nil {
			return fmt.Errorf("day %d: %w", day, err)
		}
		r.round("days lived")
	}
	return y.end(ctx)
}

// yearRun is a home in its year.
type yearRun struct {
	*site
	*result

	clock string // the file that says the time
	begin time.Time
	day   int

	expiring  string // a token that expires
	first     client.Certificate
	oldShare  string // a share link that was replaced
	hash      string // of the certification
	waiting   []string
	approved  []string // UUIDs
	keyMails  int
	lastMark  int
	cleanedAt int
}

// setTime has the program's clock say a time.
func (y *yearRun) setTime(now time.Time) error {
	if y.site != nil {
		y.hooks.setAhead(time.Until(now))
	}
	next := y.clock + ".next"
	if err := os.WriteFile(next, []byte(now.Format(time.RFC3339)+"\n"), 0o600); err != nil {
		return err
	}
	return os.Rename(next, y.clock)
}

// expect notes a problem unless something is so.
func (y *yearRun) expect(so bool, format string, args ...any) {
	if !so {
		y.problem("day %d: %s", y.day, fmt.Sprintf(format, args...))
	}
}

// prepare makes what will end in the year.
func (y *yearRun) prepare(ctx context.Context) (err error) {
	if y.expiring, err = y.lastLine(ctx, "token", "create", "ends", "--permission", "certificate-vault:list", "--expires-in", fmt.Sprintf("%dh", tokenDays*24)); err != nil {
		return err
	}
	key, err := importableKey(y.begin, keyDays)
	if err != nil {
		return err
	}
	path := filepath.Join(y.dir, "registry.pem")
	if err := os.WriteFile(path, key, 0o600); err != nil {
		return err
	}
	if _, err := y.must(ctx, "key", "import", path); err != nil {
		return err
	}
	return y.certify(ctx)
}

// importableKey makes a key with a certificate that is valid for some days, both in PEM.
func importableKey(now time.Time, days int) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(now.Unix()), Subject: pkix.Name{CommonName: "Registry"}, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment,
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(0, 0, days), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}, BasicConstraintsValid: true}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})...), nil
}

const snapshot = `{"sdk_version": "1.9.0", "qualified_badge": "VW-CERT-BASE", "features": {"base": true}, "services": {"transaction_verifier": true},
 "config": {"api_key_set": true, "store_slug_set": true}, "timestamp": "2026-01-22T10:00:00Z"}`

// certify has a store's domain certified for a year.
func (y *yearRun) certify(ctx context.Context) error {
	path := filepath.Join(y.dir, "snapshot.json")
	if err := os.WriteFile(path, []byte(snapshot), 0o600); err != nil {
		return err
	}
	key, err := y.lastLine(ctx, "authority", "store", "add", "shop")
	if err != nil {
		return err
	}
	y.env = append(y.env, "VECCTL_AUTHORITY_STORE=shop", "VECCTL_AUTHORITY_KEY="+key)
	for _, args := range [][]string{
		{"authority", "domain", "add", "shop.example", "--store", "shop"}, {"authority", "domain", "trust", "shop.example"},
		{"authority", "request", "shop.example", "--project", "Shop", "--snapshot", path},
	} {
		if _, err := y.must(ctx, args...); err != nil {
			return err
		}
	}
	y.hash, err = y.field(ctx, "verification_hash", "authority", "status", "shop.example")
	return err
}

// field returns a field of what a command prints as CSV of one object.
func (y *yearRun) field(ctx context.Context, name string, args ...string) (string, error) {
	r, err := y.must(ctx, append(args, "-o", "csv")...)
	if err != nil {
		return "", err
	}
	rows, err := csv.NewReader(strings.NewReader(r.stdout)).ReadAll()
	if err != nil {
		return "", err
	}
	for _, row := range rows {
		if len(row) == 2 && row[0] == name { // a line for each field
			return row[1], nil
		}
	}
	if len(rows) == 2 {
		if i := slices.Index(rows[0], name); i >= 0 {
			return rows[1][i], nil
		}
	}
	return "", fmt.Errorf("vecctl %s prints no %s: %s", strings.Join(args, " "), name, r.stdout)
}

// live plays one day: an agent starts at nine o'clock, works, is looked at, and ends.
func (y *yearRun) live(ctx context.Context, day int) error {
	y.day = day
	now := y.begin.AddDate(0, 0, day).Add(time.Hour)
	if err := y.setTime(now); err != nil {
		return err
	}
	agent, err := y.start(ctx)
	if err != nil {
		return err
	}
	err = y.work(ctx, agent, now)
	if code := agent.stop(); code != 0 || agent.broke() {
		y.problem("day %d: the agent ended with %d: %s", day, code, agent.messages())
	}
	return err
}

func (y *yearRun) work(ctx context.Context, agent *process, now time.Time) error {
	if y.day >= rotateDay && len(y.waiting) > 0 {
		if _, err := y.must(ctx, "key", "rotate", "--self-made"); err != nil {
			return err
		}
	}
	api, err := agent.api()
	if err != nil {
		return err
	}
	if err := y.issue(ctx, api, now); err != nil {
		return err
	}
	for _, look := range []func(context.Context, *process) error{y.lookAtTokens, y.lookAtLinks, y.lookAtKeys, y.lookAtCertification, y.lookAtRetention} {
		if err := look(ctx, agent); err != nil {
			return err
		}
	}
	return nil
}

// keyEnded reports whether nothing can be signed today.
func (y *yearRun) keyEnded() bool { return y.day >= keyDays && y.day < rotateDay }

// issue issues a certificate, and wants it approved within seconds unless the key has ended.
func (y *yearRun) issue(ctx context.Context, api *client.Client, now time.Time) error {
	if y.day == setBackDay {
		if err := y.setTime(now.Add(-time.Hour)); err != nil {
			return err
		}
	}
	o := y.ledger.open(byUpload, 1)[0]
	made, err := api.Upload(ctx, o.upload(), nil)
	if err != nil {
		return err
	}
	y.result.count(1, 0)
	y.waiting = append(y.waiting, made.UUID)
	const patience = 20 * time.Second
	wait, stop := context.WithTimeout(ctx, patience)
	defer stop()
	if y.keyEnded() {
		held, err := api.Certificate(ctx, made.UUID)
		y.expect(err == nil && held.Status.Is(vault.Processing), "issued with a key that has ended: %+v, %v", held.Status, err)
		return nil
	}
	for _, uuid := range y.waiting {
		c, err := api.Await(wait, uuid)
		y.expect(err == nil && c.Status.Is(vault.Approved), "certificate %s is %+v after %v, %v", uuid, c.Status, patience, err)
		if y.first.UUID == "" {
			y.first = c
		}
		y.approved = append(y.approved, uuid)
	}
	y.waiting = nil
	return nil
}

func (y *yearRun) lookAtTokens(ctx context.Context, agent *process) error {
	ends, err := client.New(agent.public, y.expiring, &http.Transport{DisableKeepAlives: true})
	if err != nil {
		return err
	}
	_, err = ends.List(ctx, client.Filter{PerPage: 1})
	y.expect((err == nil) == (y.day < tokenDays), "the token that ends after %d days: %v", tokenDays, err)
	return nil
}

// lookAtLinks looks at the share link and the verification page of the first certificate.
func (y *yearRun) lookAtLinks(ctx context.Context, agent *process) error {
	if y.day >= reshareDay && y.oldShare == "" {
		y.oldShare = y.first.ShareURL
		if _, err := y.must(ctx, "reshare", y.first.UUID, "--yes"); err != nil {
			return err
		}
		api, err := agent.api()
		if err != nil {
			return err
		}
		if y.first, err = api.Certificate(ctx, y.first.UUID); err != nil {
			return err
		}
	}
	for link, want := range map[string]int{y.first.ShareURL: http.StatusOK, "https://vec.example.edu/v/" + y.first.ReferenceID: http.StatusOK, y.oldShare: http.StatusNotFound} {
		if link == "" {
			continue
		}
		got, err := get(ctx, agent, link)
		y.expect(err == nil && got == want, "%s answers %d, want %d (%v)", link, got, want, err)
	}
	return nil
}

// get asks the agent for the page of a link.
func get(ctx context.Context, agent *process, link string) (int, error) {
	u, err := url.Parse(link)
	if err != nil {
		return 0, err
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, agent.public+u.Path, nil)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(q)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}

// staffAddress is where reminders go.
const staffAddress = "office@vec.example.edu"

// lookAtKeys looks at reminders, and at what status and /readyz say.
func (y *yearRun) lookAtKeys(ctx context.Context, agent *process) error {
	if y.day < rotateDay {
		mark := 0
		for _, days := range []int{60, 30, 7} {
			if y.day >= keyDays-days {
				mark = days
			}
		}
		if mark != y.lastMark {
			y.lastMark, y.keyMails = mark, y.keyMails+1
		}
	}
	y.eventually(ctx, func() bool { return len(y.mails.identities(staffAddress)) >= y.keyMails })
	got := len(y.mails.identities(staffAddress))
	y.expect(got == y.keyMails, "staff have %d reminders of the key, want %d", got, y.keyMails)
	staff, err := y.staff()
	if err != nil {
		return err
	}
	status, err := staff.AgentStatus(ctx)
	if err != nil {
		return err
	}
	expected := map[string]bool{}
	if y.day >= keyDays-60 && y.day < rotateDay {
		expected[adminclient.KeyProblem] = true
	}
	if y.keyEnded() {
		expected["signing"] = true
	}
	if y.day == setBackDay {
		// The warning is there within seconds.
		y.eventually(ctx, func() bool {
			status, err = staff.AgentStatus(ctx)
			return err == nil && slices.ContainsFunc(status.Problems, func(p adminclient.Problem) bool { return p.Kind == adminclient.ClockProblem })
		})
		expected[adminclient.ClockProblem] = true
	}
	for _, p := range status.Problems {
		y.expect(expected[p.Kind], "status says %s: %s", p.Kind, p.Message)
		delete(expected, p.Kind)
	}
	y.expect(len(expected) == 0, "status does not say %v", expected)
	if !y.keyEnded() {
		return nil
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, agent.public+"/readyz", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(q)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(resp.Body); err != nil {
		return err
	}
	y.expect(strings.Contains(body.String(), " ended on "), "/readyz says %s", body.String())
	return nil
}

// eventually waits for a while until something is so.
func (y *yearRun) eventually(ctx context.Context, so func() bool) {
	const patience, pause = 20 * time.Second, 50 * time.Millisecond
	for end := time.Now().Add(patience); !so() && time.Now().Before(end) && ctx.Err() == nil; {
		time.Sleep(pause)
	}
}

func (y *yearRun) lookAtCertification(ctx context.Context, _ *process) error {
	r := y.run(ctx, "authority", "verify", y.hash)
	y.expect((r.code == 0) == (y.day < 365), "the certification of a year: exit code %d, %s", r.code, r.stdout)
	announced := 0
	y.eventually(ctx, func() bool {
		log := y.run(ctx, "authority", "log", "-o", "csv")
		announced = strings.Count(log.stdout, "certification.expiring")
		return announced > 0 || y.day < expiringDay
	})
	want := 0
	if y.day >= expiringDay {
		want = 1
	}
	y.expect(announced == want, "the end of the certification was announced %d times, want %d", announced, want)
	return nil
}

// lookAtRetention wants old mails and deliveries gone, and others there.
func (y *yearRun) lookAtRetention(ctx context.Context, _ *process) error {
	if y.day == 0 || y.day-y.cleanedAt < cleanEvery {
		return nil
	}
	y.cleanedAt = y.day
	staff, err := y.staff()
	if err != nil {
		return err
	}
	now := y.begin.AddDate(0, 0, y.day)
	var oldest, oldestDelivery time.Time
	look := func() bool {
		oldest, oldestDelivery = now, now
		mails, err := staff.Mails(ctx, adminclient.MailFilter{})
		if err != nil {
			return false
		}
		for _, m := range mails {
			if m.CreatedAt.Before(oldest) {
				oldest = m.CreatedAt
			}
		}
		deliveries, err := staff.Deliveries(ctx, adminclient.DeliveryFilter{})
		if err != nil {
			return false
		}
		for _, d := range deliveries {
			if d.CreatedAt.Before(oldestDelivery) {
				oldestDelivery = d.CreatedAt
			}
		}
		return oldest.After(now.AddDate(0, 0, -mailDays-1)) && oldestDelivery.After(now.AddDate(0, 0, -deliveryDays-1))
	}
	y.eventually(ctx, look)
	y.expect(look(), "the oldest mail is of %v, the oldest delivery of %v", oldest, oldestDelivery)
	y.note("looks at retention", 1)
	return nil
}

// end looks at everything that was issued, restores a backup, and goes to the end of the
// self-made key.
func (y *yearRun) end(ctx context.Context) error {
	backup := filepath.Join(y.dir, "year.tar.zst")
	if _, err := y.must(ctx, "backup", backup, "--verify"); err != nil {
		return err
	}
	restored := filepath.Join(y.dir, "restored")
	if _, err := y.must(ctx, "restore", backup, "--home", restored); err != nil {
		return err
	}
	folder := filepath.Join(y.dir, "handed-out")
	if err := os.Mkdir(folder, 0o700); err != nil {
		return err
	}
	for i, uuid := range y.approved {
		if _, err := y.must(ctx, "download", uuid, "--home", restored, "--out", filepath.Join(folder, fmt.Sprintf("%d.pdf", i))); err != nil {
			return err
		}
	}
	y.expect(len(y.waiting) == 0, "%d certificates still wait", len(y.waiting))
	y.note("documents valid at the end", len(y.approved))
	before, err := y.must(ctx, "key", "list", "-o", "csv")
	if err != nil {
		return err
	}
	// Ten years later, less 59 days: the self-made key is renewed by itself.
	for _, now := range []time.Time{y.begin.AddDate(0, 0, 366), y.begin.AddDate(10, 0, rotateDay-59)} {
		if err := y.setTime(now); err != nil {
			return err
		}
		if r := y.run(ctx, "verify", folder); r.code != 0 {
			y.problem("%s: what was issued is not valid: %v", now.Format(time.DateOnly), r)
		}
	}
	o := y.ledger.open(byUpload, 1)[0]
	document := filepath.Join(y.dir, "last.pdf")
	if err := os.WriteFile(document, o.body(), 0o600); err != nil {
		return err
	}
	if _, err := y.must(ctx, "upload", document, "--title", "Diploma", "--name", "Last", "--email", "last@example.org"); err != nil {
		return err
	}
	after, err := y.must(ctx, "key", "list", "-o", "csv")
	if err != nil {
		return err
	}
	y.expect(strings.Count(after.stdout, "\nsigning,") == strings.Count(before.stdout, "\nsigning,")+1,
		"the self-made key was not renewed: %s, then %s", before.stdout, after.stdout)
	r := y.run(ctx, "status", "-o", "csv")
	y.expect(r.code == 0 && !strings.Contains(r.stdout, "signing key"), "status says %s", r.stdout)
	return nil
}
