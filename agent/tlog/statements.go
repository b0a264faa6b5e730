// Package tlog keeps the institutions' transparency logs honest: it enters what is known besides
// certificates, so that it cannot be dated back.
package tlog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/vecctl/vecctl/agent/institutions"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/transparency"
	"github.com/vecctl/vecctl/pkg/vault"
)

// When statements are entered: revocations at once, the head of the audit trail soon after it
// changed, and both at least daily, so that a log says what had not happened either.
const (
	daily      = 24 * time.Hour
	auditDelay = 10 * time.Minute
)

// Statements enters the list of revocations and the head of the audit trail in the institutions'
// logs.
type Statements struct {
	Store        store.Store
	Institutions *institutions.Registry

	mu     sync.Mutex
	hashes map[uint32]*transparency.RevocationHash // of the lists that were read so far
}

// EnterDue enters what is due now. What fails is tried again at the next call.
func (s *Statements) EnterDue(ctx context.Context, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := s.Institutions.IDs()
	slices.Sort(ids)
	var failed []error
	for _, id := range ids {
		if err := s.enter(ctx, id, now); err != nil {
			failed = append(failed, fmt.Errorf("entering statements in the log of institution %d: %w", id, err))
		}
	}
	return errors.Join(failed...)
}

// enter enters what is due in the log of one institution.
func (s *Statements) enter(ctx context.Context, institution uint32, now time.Time) error {
	heads, err := s.Store.LogHeads(ctx, institution)
	if err != nil {
		return err
	}
	count, err := s.Store.RevocationCount(ctx, institution)
	if err != nil || (len(heads) == 0 && count == 0) {
		return err // nothing was issued yet, or nothing since logs are kept
	}
	key, err := s.Institutions.LogKey(institution)
	if err != nil {
		return err
	}
	due := dueStatements{count: count}
	if at := slices.IndexFunc(heads, func(h vault.LogHead) bool { return h.Key == key.Public() }); at >= 0 {
		due.since = heads[at].CreatedAt
	}
	if due.entered, err = s.Store.LogStatements(ctx, key.Public()); err != nil {
		return err
	}
	if due.audit, err = s.Store.AuditHead(ctx); err != nil {
		return err
	}
	var entries []store.LogAddition
	if due.revocations(now) {
		sum, err := s.hash(ctx, institution, count)
		if err != nil {
			return err
		}
		if entries, err = addStatement(entries, key, transparency.Statement{Kind: string(vault.StatesRevocations), At: now, Count: count, SHA256: sum}); err != nil {
			return err
		}
	}
	if due.trail(now) {
		if entries, err = addStatement(entries, key, transparency.Statement{Kind: string(vault.StatesAudit), At: now, Count: due.audit.Seq, SHA256: due.audit.Hash}); err != nil {
			return err
		}
	}
	if len(entries) == 0 {
		return nil
	}
	_, err = s.Store.AppendLog(ctx, institution, entries)
	return err
}

// hash is the hash of the first lines of an institution's list of revocations.
func (s *Statements) hash(ctx context.Context, institution uint32, count uint64) (string, error) {
	h := s.hashes[institution]
	if h == nil {
		h = transparency.NewRevocationHash()
	}
	const group = 1000
	for h.Count < count {
		lines, err := s.Store.Revocations(ctx, institution, h.Count, int(min(group, count-h.Count)))
		if err != nil {
			return "", err
		}
		if len(lines) == 0 {
			return "", fault.New(fault.Damaged, "lines of the list of revocations are missing; restore the home from a backup")
		}
		for _, r := range lines {
			h.Add(PublishedRevocation(r))
		}
	}
	if s.hashes == nil {
		s.hashes = map[uint32]*transparency.RevocationHash{}
	}
	s.hashes[institution] = h
	return h.SHA256(), nil
}

// PublishedRevocation is a line of the list as it is published.
func PublishedRevocation(r vault.RevocationRecord) transparency.Revocation {
	return transparency.Revocation{Reference: r.Reference, Status: string(r.Status), At: r.At, Successor: r.Successor}
}

// addStatement signs a statement of a log and adds it to what is entered.
func addStatement(entries []store.LogAddition, key *transparency.Key, one transparency.Statement) ([]store.LogAddition, error) {
	one.Origin, one.At = key.Origin(), one.At.UTC().Truncate(time.Second)
	signed, err := key.SignStatement(one)
	if err != nil {
		return nil, err
	}
	return append(entries, store.LogAddition{Leaf: statementLeaf{key, one}, Statement: &vault.LogStatement{
		Kind: vault.StatementKind(one.Kind), At: one.At, Count: one.Count, SHA256: one.SHA256, Signed: signed,
	}}), nil
}
