package admin

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/transparency"
	"github.com/vecctl/vecctl/pkg/vault"
)

// laterEntry enters a certificate in a log that was issued before the log began. Its verified PDF
// stays as it is.
type laterEntry struct {
	key   *transparency.Key
	salt  transparency.Salt
	entry []byte
	at    time.Time
}

var _ vault.LogEntry = laterEntry{}

// LogKey implements vault.LogLeaf.
func (e laterEntry) LogKey() string { return e.key.Public() }

// Entry implements vault.LogLeaf.
func (e laterEntry) Entry() []byte { return e.entry }

// At implements vault.LogLeaf.
func (e laterEntry) At() time.Time { return e.at }

// SignCheckpoint implements vault.LogLeaf.
func (e laterEntry) SignCheckpoint(size int64, root [32]byte) ([]byte, error) {
	return e.key.Sign(size, root)
}

// Complete implements vault.LogEntry.
func (e laterEntry) Complete(c vault.Certificate, p vault.LogProof) (vault.Certificate, []byte, error) {
	c.Log = &vault.LogPlace{Log: vault.LogID(e.key.Public()), Index: p.Index, Salt: e.salt[:], Later: true}
	return c, nil, nil
}

// laterGroup is how many certificates enter a log in one transaction.
const laterGroup = 256

// AddIssued enters the institution's certificates in its log that were issued before the log began,
// up to a number of them. What cannot be entered is named with its reason.
func (s *Service) AddIssued(ctx context.Context, after uint64) (adminclient.LateEntries, error) {
	institution := s.institutionID(ctx)
	key, err := s.institutions.LogKey(institution)
	if err != nil {
		return adminclient.LateEntries{}, err
	}
	if found := s.logs.Forks.Find(ctx, key.Public()); found != "" {
		return adminclient.LateEntries{}, fault.New(fault.Unavailable, found+"; say with \"vecctl tlog continue\" or \"vecctl tlog new\" what is to be done")
	}
	page, err := s.store.List(ctx, store.Filter{Institution: institution, Below: after}, 1, laterGroup)
	if err != nil {
		return adminclient.LateEntries{}, err
	}
	done := adminclient.LateEntries{Entered: []string{}, Refused: []adminclient.RefusedEntry{}}
	var entries []store.LogAddition
	for _, c := range page.Certificates {
		done.Next = c.ID
		if c.Log != nil && c.Log.Later && c.ErasedAt == nil {
			done.Entered = append(done.Entered, c.Reference)
		}
		if c.CheckUnlogged() != nil {
			continue
		}
		sum, err := s.documents.SignedBytes(ctx, c)
		if err != nil {
			message, _ := fault.Message(err)
			done.Refused = append(done.Refused, adminclient.RefusedEntry{ReferenceID: c.Reference, Reason: message})
			continue
		}
		e := laterEntry{key: key, at: s.now()}
		if _, err := rand.Read(e.salt[:]); err != nil {
			return done, fmt.Errorf("draw a salt: %w", err)
		}
		e.entry = transparency.CertificateEntry(e.salt, sum)
		entries = append(entries, store.LogAddition{Leaf: e, Certificate: c.UUID})
		done.Entered = append(done.Entered, c.Reference)
	}
	if len(page.Certificates) < laterGroup {
		done.Next = 0
	}
	if len(entries) == 0 {
		return done, nil
	}
	_, err = s.store.AppendLog(ctx, institution, entries)
	return done, err
}

// LogProof returns the proof of a certificate that entered the log after it was issued, under the
// log's last checkpoint; NotFound for any other.
func (s *Service) LogProof(ctx context.Context, name string) ([]byte, error) {
	c, err := s.store.Certificate(ctx, s.institutionID(ctx), name)
	if err != nil {
		return nil, err
	}
	if c.Log == nil || !c.Log.Later || len(c.Log.Salt) != transparency.SaltSize {
		return nil, fault.Newf(fault.NotFound, "The vault has no proof of certificate %s besides the one in its verified PDF.", c.Reference)
	}
	heads, err := s.store.LogHeads(ctx, c.Institution)
	if err != nil {
		return nil, err
	}
	for _, head := range heads {
		if vault.LogID(head.Key) != c.Log.Log {
			continue
		}
		proof, err := transparency.Prove(head.Size, c.Log.Index, tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
			found, err := s.store.LogHashes(ctx, head.Key, indexes)
			all := make([]tlog.Hash, len(found))
			for i, h := range found {
				all[i] = h
			}
			return all, err
		}))
		if err != nil {
			return nil, err
		}
		return transparency.FormatProof(c.Log.Index, transparency.Salt(c.Log.Salt), proof, head.Checkpoint), nil
	}
	return nil, fault.New(fault.Damaged, "the log of the certificate is missing; restore the home from a backup")
}
