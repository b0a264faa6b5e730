package agent

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fault"
)

// keyWarning is how long before its end a signing key is warned of.
const keyWarning = 60 * 24 * time.Hour

func shapeKey(c *x509.Certificate) client.SigningKey {
	sum := sha256.Sum256(c.Raw)
	return client.SigningKey{
		Subject: c.Subject.CommonName, Issuer: c.Issuer.CommonName,
		Fingerprint: hex.EncodeToString(sum[:]), ValidUntil: c.NotAfter.UTC(),
	}
}

// SigningKey is what the current institution signs with.
func (a *Agent) SigningKey(context.Context) (client.SigningKey, error) {
	return shapeKey(a.currentSeal().Certificate()), nil
}

// RotateKey has the current institution sign with a new self-made key from now on.
// One that somebody else has certified is replaced only when selfMade says so.
func (a *Agent) RotateKey(_ context.Context, selfMade bool) (client.SigningKey, error) {
	a.configuring.Lock()
	defer a.configuring.Unlock()
	old := a.currentSeal().Certificate()
	if old.Issuer.String() != old.Subject.String() && !selfMade {
		return client.SigningKey{}, fault.Newf(fault.Illegal, "the key in use is certified by %s; have a new one certified and use \"vecctl key import\", "+
			"or give --self-made for one that nobody certifies", old.Issuer.CommonName)
	}
	signer, err := a.Home.NewSigner(a.Random, a.Institution().Name, a.Now())
	if err != nil {
		return client.SigningKey{}, err
	}
	return a.signWith(signer)
}

// KeyEnds implements health.Source: when the first of the home's signing keys ends.
func (v vitals) KeyEnds() time.Time {
	var first time.Time
	for _, one := range v.state.Load().seats {
		if end := one.seal.Certificate().NotAfter; first.IsZero() || end.Before(first) {
			first = end
		}
	}
	return first
}

// keyProblems are the signing keys that have ended or soon will.
func (a *Agent) keyProblems() []client.Problem {
	var found []client.Problem
	now := a.Now()
	for _, one := range a.state.Load().seats {
		end := one.seal.Certificate().NotAfter
		const mend = "replace it with \"vecctl key rotate\" or \"vecctl key import\"; what was signed stays valid"
		switch left := end.Sub(now); {
		case left <= 0:
			found = append(found, client.Problem{Kind: client.KeyProblem,
				Message: fmt.Sprintf("the signing key of %s ended on %s; %s", one.institution.Name, end.Format(time.DateOnly), mend)})
		case left < keyWarning:
			found = append(found, client.Problem{Kind: client.KeyProblem,
				Message: fmt.Sprintf("the signing key of %s ends on %s; %s", one.institution.Name, end.Format(time.DateOnly), mend)})
		}
	}
	slices.SortFunc(found, func(a, b client.Problem) int { return strings.Compare(a.Message, b.Message) })
	return found
}
