package badges

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/openbadge"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

type listKey struct {
	institution uint32
	list        int
}

// statusList is a list with what is known of its credentials. Which certificates changed is found
// without reading them, by their versions; so a revocation is in the next answer.
type statusList struct {
	mu      sync.Mutex
	loaded  bool
	entries map[string]*statusEntry // by reference ID
	issuer  *issuerKeys             // that signed it
	signed  []byte
	bits    *openbadge.StatusList
	day     string // on which it was signed
}

type statusEntry struct {
	index   int
	read    bool
	version uint64
	ended   bool // revoked, replaced or erased
}

// For how long a signed list counts: verifiers may keep it, and the vault may be away for a while.
const listValidity = 7 * 24 * time.Hour

// ListAddress is where an institution's status list is published.
func (s *Service) ListAddress(institution uint32, list int) string {
	return fmt.Sprintf("%s/credentials/status/%d/%d", s.base(), institution, list)
}

func (s *Service) listOf(k listKey) *statusList {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lists[k]
	if l == nil {
		l = &statusList{entries: map[string]*statusEntry{}}
		s.lists[k] = l
	}
	return l
}

// addToList notes a new credential in a list that was read already.
func (s *Service) addToList(c vault.Certificate, r record) {
	l := s.listOf(listKey{c.Institution, r.List})
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.loaded {
		l.entries[c.Reference] = &statusEntry{index: r.Index}
	}
}

// StatusList returns an institution's status list as a signed credential. It is signed anew each day
// and whenever a bit changes.
func (s *Service) StatusList(ctx context.Context, institution uint32, list int) ([]byte, error) {
	if _, ok := s.Institutions.ByID(institution); !ok || list < 1 {
		return nil, fault.New(fault.NotFound, "There is no such status list.")
	}
	k, err := s.issuer(institution)
	if err != nil {
		return nil, err
	}
	l := s.listOf(listKey{institution, list})
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := s.load(ctx, l, institution, list); err != nil {
		return nil, err
	}
	if len(l.entries) == 0 {
		return nil, fault.New(fault.NotFound, "There is no such status list.")
	}
	bits := openbadge.NewStatusList()
	for reference, e := range l.entries {
		if err := s.look(ctx, reference, e); err != nil {
			return nil, err
		}
		if e.ended {
			bits.Set(e.index)
		}
	}
	now := s.Setup.Now()
	day := now.UTC().Format(time.DateOnly)
	if l.issuer == k && l.day == day && bits.Equal(l.bits) {
		return l.signed, nil
	}
	credential, err := bits.Credential(k.did, s.ListAddress(institution, list), now, now.Add(listValidity))
	if err != nil {
		return nil, err
	}
	signed, err := k.signer.Sign(credential, now)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(signed)
	if err != nil {
		return nil, fmt.Errorf("writing a status list: %w", err)
	}
	l.issuer, l.day, l.bits, l.signed = k, day, bits, text
	return text, nil
}

// load reads which credentials a list has. The caller holds the list.
func (s *Service) load(ctx context.Context, l *statusList, institution uint32, list int) error {
	if l.loaded {
		return nil
	}
	prefix := fmt.Sprintf("%08x/%06x/", institution, list)
	err := s.Rows.View(ctx, func(r store.RowReader) error {
		return r.Scan(indexTable, prefix, func(key string, value []byte) (bool, error) {
			place, ours := strings.CutPrefix(key, prefix)
			if !ours {
				return true, nil
			}
			var index int
			if _, err := fmt.Sscanf(place, "%x", &index); err != nil {
				return false, fault.Wrap(fault.Damaged, err, "the place of a badge cannot be read")
			}
			l.entries[string(value)] = &statusEntry{index: index}
			return false, nil
		})
	})
	l.loaded = err == nil
	return err
}

// look finds out whether a certificate still counts, if it was changed since the last look.
func (s *Service) look(ctx context.Context, reference string, e *statusEntry) error {
	version := s.Store.Version(reference)
	if e.read && e.version == version {
		return nil
	}
	c, err := s.Store.ByReference(ctx, reference)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	e.ended = err != nil || c.Validity() != vault.ValidityGenuine
	e.read, e.version = true, version
	return nil
}

// Lists returns the numbers of an institution's status lists that have credentials.
func (s *Service) Lists(ctx context.Context, institution uint32) (lists []int, err error) {
	err = s.Rows.View(ctx, func(r store.RowReader) error {
		for list := 1; ; list++ {
			prefix, found := fmt.Sprintf("%08x/%06x/", institution, list), false
			err := r.Scan(indexTable, prefix, func(key string, _ []byte) (bool, error) {
				found = strings.HasPrefix(key, prefix)
				return true, nil
			})
			if err != nil || !found {
				return err
			}
			lists = append(lists, list)
		}
	})
	return lists, err
}
