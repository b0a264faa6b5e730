package agent

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/vecctl/vecctl/agent/config"
	"github.com/vecctl/vecctl/agent/health"
	"github.com/vecctl/vecctl/agent/mailer"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/fsutil"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/audit"
)

// keyCheckInterval is how often keys that end are looked for.
const keyCheckInterval = time.Hour

// runKeyEnds renews self-made signing keys that end soon, reminds staff of other keys and
// certificates, and shows what has ended, until ctx ends.
func (a *Agent) runKeyEnds(ctx context.Context) error {
	rows, err := a.store.Rows(mailer.KeyReminderTable)
	if err != nil {
		return err
	}
	reminders := mailer.KeyReminders{Store: a.store, Rows: rows, Mails: a.mailQueue, Log: a.Log}
	tick := time.NewTicker(keyCheckInterval)
	defer tick.Stop()
	for {
		reminders.SendDue(ctx, a.remindedKeys(), a.Now())
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		a.renewKeys(ctx)
		a.showKeyEnds()
	}
}

// renewKeys renews self-made signing keys that end soon, and writes that into the audit trail.
func (a *Agent) renewKeys(ctx context.Context) {
	renewed, err := a.institutions.RenewKeys()
	for _, one := range renewed {
		action := &audit.PendingAction{At: a.Now(), Action: audit.Action{Actor: "agent", Request: "signing key renewed", RemoteAddr: "local",
			Subject: audit.Subject{Institution: one.Slug, Object: "signing key"}}}
		if err := a.store.RecordAction(audit.NewContext(context.WithoutCancel(ctx), action)); err != nil {
			a.Log.Error("the renewal of a signing key is not in the audit trail", "institution", one.Name, "error", err)
		}
		a.Log.Info("the self-made signing key was renewed, since it ends soon; what was signed stays valid", "institution", one.Name)
		a.events.PublishNotice(adminclient.Notice{Level: "info", Message: "the signing key of " + one.Name + " was renewed"})
	}
	if err != nil {
		a.Log.Error("a signing key that ends soon could not be renewed; it is tried again", "error", err)
	}
}

// remindedKeys are the keys and certificates that people have to replace.
func (a *Agent) remindedKeys() []vault.EndingKey {
	keys := a.institutions.ImportedKeys()
	if tls, err := tlsKey(a.config.TLS); err == nil && !tls.End.IsZero() {
		tls.Institution = a.institutions.Primary().ID
		keys = append(keys, tls)
	}
	return keys
}

// showKeyEnds has /readyz and status show the keys and certificates that have ended or soon will.
func (a *Agent) showKeyEnds() {
	var signing []string
	for _, p := range a.institutions.Problems() {
		signing = append(signing, p.Message)
	}
	show(health.Alarm{Health: a.health, Name: adminclient.KeyProblem}, strings.Join(signing, "; "))
	message := ""
	switch tls, err := tlsKey(a.config.TLS); {
	case err != nil:
		message, _ = fault.Message(err)
	case !tls.End.IsZero():
		message = tls.Describe(a.Now())
	}
	show(health.Alarm{Health: a.health, Name: adminclient.TLSProblem}, message)
}

// show raises an alarm with a message, or clears it where there is none.
func show(alarm health.Alarm, message string) {
	if message == "" {
		alarm.Clear()
		return
	}
	alarm.Raise(message)
}

// tlsKey is the certificate of HTTPS; the zero value where there is none.
func tlsKey(o config.TLS) (vault.EndingKey, error) {
	if o.Cert == "" {
		return vault.EndingKey{}, nil
	}
	body, err := os.ReadFile(o.Cert)
	if err != nil {
		return vault.EndingKey{}, fault.Wrap(fault.Invalid, fsutil.DiskError(err, "reading the certificate of HTTPS"), fmt.Sprintf("the certificate %s of HTTPS cannot be read", o.Cert))
	}
	block, _ := pem.Decode(body)
	if block == nil {
		return vault.EndingKey{}, fault.Newf(fault.Invalid, "the certificate %s of HTTPS is not in PEM", o.Cert)
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return vault.EndingKey{}, fault.Wrap(fault.Invalid, err, fmt.Sprintf("the certificate %s of HTTPS cannot be read", o.Cert))
	}
	sum := sha256.Sum256(c.Raw)
	return vault.EndingKey{What: "the HTTPS certificate " + o.Cert, ID: hex.EncodeToString(sum[:]), End: c.NotAfter,
		Fix: "put a new one and its key in place of the files, which the agent reads by itself"}, nil
}
