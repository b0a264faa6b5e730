//go:build linux

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
)

// resolve asks again for what nobody was told the outcome of: the vault either has it, and says
// so, or takes it now.
func (v *site) resolve(ctx context.Context, agent *process) error {
	api, err := agent.api()
	if err != nil {
		return err
	}
	var command []*order
	for _, o := range v.ledger.list() {
		switch {
		case !o.maybe:
		case o.way == byDrop:
			v.ledger.drop(o) // its manifest may not have been written; at most one may come of it
		case o.way == byCommand:
			command = append(command, o)
		default:
			c, err := api.Upload(ctx, o.upload(), nil)
			switch {
			case err == nil:
				v.ledger.named(o, c.UUID)
			case fault.Is(err, fault.Invalid) || fault.Is(err, fault.Conflict):
				v.ledger.ack(o) // it is there already
			default:
				return fmt.Errorf("asking again for %s: %w", o.email(), err)
			}
		}
	}
	if len(command) == 0 {
		return nil
	}
	folder, err := os.MkdirTemp(v.inbox, "again-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	manifest, err := writeBatch(folder, "again.csv", command)
	if err != nil {
		return err
	}
	if _, err := v.must(ctx, "bulk", manifest, "--out", filepath.Join(v.out, filepath.Base(folder))); err != nil {
		return err
	}
	v.ledger.ack(command...)
	return nil
}

// settled waits until nothing waits any more.
func (v *site) settled(ctx context.Context, limit time.Duration) error {
	staff, err := v.staff()
	if err != nil {
		return err
	}
	deadline := time.Now().Add(limit)
	for {
		waiting, err := v.waiting(ctx, staff)
		switch {
		case err != nil:
			return err
		case waiting == "":
			return nil
		case time.Now().After(deadline):
			return fmt.Errorf("after %v there still wait: %s", limit, waiting)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// waiting says what is not done yet.
func (v *site) waiting(ctx context.Context, staff *adminclient.Client) (string, error) {
	status, err := staff.AgentStatus(ctx)
	if err != nil {
		return "", err
	}
	var waits []string
	for kind, q := range status.Jobs {
		if n := q.Waiting + q.Later; n > 0 {
			waits = append(waits, fmt.Sprintf("%d jobs of %s", n, kind))
		}
	}
	for _, state := range []string{"processing", "uploaded"} {
		if n := status.Certificates[state]; n > 0 {
			waits = append(waits, fmt.Sprintf("%d certificates %s", n, state))
		}
	}
	mails, err := staff.Mails(ctx, adminclient.MailFilter{State: "waiting", Limit: 1})
	if err != nil {
		return "", err
	}
	pending, err := staff.Deliveries(ctx, adminclient.DeliveryFilter{Status: "pending", Limit: 1})
	if err != nil {
		return "", err
	}
	if len(mails) > 0 {
		waits = append(waits, "mails")
	}
	if len(pending) > 0 {
		waits = append(waits, "deliveries")
	}
	for _, folder := range []string{"drop", "incoming"} {
		left, err := filepath.Glob(filepath.Join(v.home, folder, "*"))
		if err != nil {
			return "", err
		}
		for _, path := range left {
			if folder == "incoming" || strings.HasSuffix(path, ".csv") {
				waits = append(waits, folder+"/"+filepath.Base(path))
			}
		}
	}
	return strings.Join(waits[:min(len(waits), 5)], ", "), nil
}

// all lists all certificates.
func all(ctx context.Context, api *client.Client) (found []client.Certificate, err error) {
	for n := 1; ; n++ {
		page, err := api.List(ctx, client.Filter{Page: n, PerPage: 100})
		if err != nil {
			return nil, err
		}
		found = append(found, page.Data...)
		if n >= page.Meta.LastPage {
			return found, nil
		}
	}
}

// checkPresent wants every acknowledged order in the vault, once, with its own words; it
// may still be in work. It returns the certificates by address.
func (v *site) checkPresent(ctx context.Context, agent *process, r *result, when string) (map[string]client.Certificate, error) {
	api, err := agent.api()
	if err != nil {
		return nil, err
	}
	found, err := all(ctx, api)
	if err != nil {
		return nil, err
	}
	by := map[string]client.Certificate{}
	for _, c := range found {
		if before, twice := by[c.Email]; twice && before.UUID != c.UUID { // pages shift while others come
			r.problem("%s: %s has two certificates, %s and %s", when, c.Email, before.ReferenceID, c.ReferenceID)
		}
		by[c.Email] = c
	}
	known := map[string]bool{}
	for _, o := range v.ledger.list() {
		known[o.email()] = true
		c, there := by[o.email()]
		switch {
		case !there && o.acked && o.way != byDrop: // what was dropped may still lie in the folder
			r.problem("%s: %s of %s was acknowledged (%s), and is not there", when, o.email(), o.way, o.uuid)
		case there && o.uuid != "" && o.uuid != c.UUID:
			r.problem("%s: %s was acknowledged as %s, and is %s", when, o.email(), o.uuid, c.UUID)
		case there && (c.Name != o.content().Name || c.Title != o.content().Title || c.File.SHA256 != sumOf(o.body())):
			r.problem("%s: %s is not what was asked for: %+v", when, o.email(), c)
		}
	}
	for email := range by {
		if !known[email] {
			r.problem("%s: nobody asked for %s", when, email)
		}
	}
	return by, nil
}

// checkWhole wants everything done that is owed, exactly once: certificates, documents, mails,
// deliveries, and the audit trail unbroken.
func (v *site) checkWhole(ctx context.Context, agent *process, random *rand.Rand, r *result, when string) error {
	by, err := v.checkPresent(ctx, agent, r, when)
	if err != nil {
		return err
	}
	api, err := agent.api()
	if err != nil {
		return err
	}
	for _, o := range v.ledger.list() {
		c, there := by[o.email()]
		if !there {
			if o.acked {
				r.problem("%s: %s of %s was acknowledged, and is not there", when, o.email(), o.way)
			}
			continue
		}
		if !c.Status.Is("approved") || c.Verified == nil {
			r.problem("%s: %s is %s: %v", when, o.email(), c.Status.Value, deref(c.FailureReason))
			continue
		}
		if o.seen && random.IntN(20) > 0 {
			continue
		}
		var body bytes.Buffer
		if _, err := api.Download(ctx, c.UUID, &body); err != nil {
			r.problem("%s: the document of %s: %v", when, o.email(), err)
			continue
		}
		if sumOf(body.Bytes()) != c.Verified.SHA256 || !bytes.HasPrefix(body.Bytes(), o.body()) {
			r.problem("%s: the document of %s is another", when, o.email())
		}
		o.seen = true
	}
	v.checkMails(ctx, by, r, when)
	v.checkHooks(by, r, when)
	v.checkHome(r, when)
	if got := v.run(ctx, "audit", "verify"); got.code != 0 {
		r.problem("%s: vecctl audit verify: %v", when, got)
	}
	v.checkDoctor(ctx, r, when)
	return nil
}

// checkDoctor wants nothing wrong with the home. The public address does not exist.
func (v *site) checkDoctor(ctx context.Context, r *result, when string) {
	got := v.run(ctx, "doctor", "--deep", "-o", "json")
	var findings []struct{ Check, Level, Message string }
	if err := json.Unmarshal([]byte(got.stdout), &findings); err != nil {
		r.problem("%s: vecctl doctor: %v", when, got)
	}
	for _, f := range findings {
		if f.Level == "wrong" && f.Check != "base-url" && f.Check != "space" {
			r.problem("%s: vecctl doctor: %s: %s", when, f.Check, f.Message)
		}
	}
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// checkMails wants one mail for each certificate, noted as sent and received as such. It may
// have come more than once, but as the same mail.
func (v *site) checkMails(ctx context.Context, by map[string]client.Certificate, r *result, when string) {
	staff, err := v.staff()
	if err != nil {
		r.problem("%s: %v", when, err)
		return
	}
	mails, err := staff.Mails(ctx, adminclient.MailFilter{})
	if err != nil {
		r.problem("%s: listing mails: %v", when, err)
		return
	}
	issued := map[string]int{}
	for _, m := range mails {
		if m.Kind != "issued" {
			continue
		}
		issued[m.To]++
		ids := v.mails.identities(m.To)
		if m.State != "sent" || len(ids) != 1 || ids[0] != "<"+m.MessageID+">" {
			r.problem("%s: the mail to %s is noted as %s (%s), and there came %v", when, m.To, m.State, m.MessageID, ids)
		}
	}
	for email := range by {
		if issued[email] != 1 {
			r.problem("%s: %d mails to %s", when, issued[email], email)
		}
	}
}

// checkHooks wants one delivery for each event of a certificate; it may have come more than
// once, under the same ID.
func (v *site) checkHooks(by map[string]client.Certificate, r *result, when string) {
	for email, c := range by {
		for _, event := range []string{"certificate_application.created", "certificate_application.approved"} {
			if ids := v.hooks.identities(c.UUID + " " + event); len(ids) != 1 {
				r.problem("%s: %d deliveries tell that %s of %s", when, len(ids), event, email)
			}
		}
	}
	v.hooks.mu.Lock()
	defer v.hooks.mu.Unlock()
	if v.hooks.refused > 0 {
		r.problem("%s: %d deliveries had no good signature", when, v.hooks.refused)
		v.hooks.refused = 0
	}
}

// checkHome wants no traces of what was interrupted. A reason may lie beside a manifest that was
// refused, such as one that a full disk cut off while it was being dropped.
func (v *site) checkHome(r *result, when string) {
	err := filepath.WalkDir(v.home, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if strings.HasPrefix(name, ".tmp-") || strings.HasSuffix(name, ".part") || strings.HasPrefix(name, "in-") || isStrayReason(path) {
			r.problem("%s: %s lies in the home", when, path)
		}
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // an agent works in it
		r.problem("%s: %v", when, err)
	}
}

// isStrayReason reports whether a file is the reason of a refusal without the file that was refused.
func isStrayReason(path string) bool {
	refused, is := strings.CutSuffix(path, ".reason.txt")
	_, err := os.Lstat(refused)
	return is && err != nil
}

func sumOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
