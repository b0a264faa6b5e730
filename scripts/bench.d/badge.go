package main

import (
	"bytes"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vecctl/vecctl/pkg/openbadge"
)

// benchBadge makes credentials: one with a proof, as when a badge is first asked for, and tokens on
// all processors, as for an export.
func benchBadge(s setup, t *table) error {
	key, err := openbadge.NewSigningKey(bytes.Repeat([]byte{7}, 32), time.Now())
	if err != nil {
		return err
	}
	signer := openbadge.NewSigner("did:web:vault.example.edu", key)
	credential := openbadge.Award{
		ID: link + "/badge.json", IssuerName: "Example University", IssuerURL: "https://vault.example.edu/", Title: "Bachelor of Science in Mathematics",
		Description: "Bachelor of Science in Mathematics", Criteria: "The requirements were met.", Picture: link + "/picture.png",
		Email: "ada@example.org", Salt: "0123456789abcdef", Name: "Ada Lovelace", ValidFrom: time.Now(), Evidence: link, EvidenceText: "SHA-256",
		Status: openbadge.StatusEntry{List: "https://vault.example.edu/credentials/status/1/1", Index: 4711},
	}.Credential(signer.Issuer())
	took, err := interleaved(s.shortRounds(), contender{20, func() error {
		_, err := signer.Sign(credential, time.Now())
		return err
	}})
	if err != nil {
		return err
	}
	t.below("make a credential with a proof", took[0], 0.030, millis)
	const tokens = 2_000
	var rates []float64
	for range s.shortRounds() {
		begun := time.Now()
		var work errgroup.Group
		var left atomic.Int64
		left.Store(tokens)
		for range runtime.GOMAXPROCS(0) {
			work.Go(func() error {
				for left.Add(-1) >= 0 {
					if _, err := signer.SignJWT(credential); err != nil {
						return err
					}
				}
				return nil
			})
		}
		if err := work.Wait(); err != nil {
			return err
		}
		rates = append(rates, tokens/time.Since(begun).Seconds())
	}
	t.above("credentials as tokens, in a second", rates, 1_000, plain)
	return nil
}
