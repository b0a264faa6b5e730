package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/vecctl/vecctl/agent/tlog"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/transparency"
	"github.com/vecctl/vecctl/pkg/vault"
)

func (p *logPages) serveRevocations(w http.ResponseWriter, r *http.Request) {
	institution, err := p.ownerOf(r.Context(), r.PathValue("id"))
	if err != nil {
		p.fail(w, r, err)
		return
	}
	head, err := p.headOf(r.Context(), institution, r.PathValue("id"))
	if err != nil {
		p.fail(w, r, err)
		return
	}
	list, err := p.revocations(r.Context(), institution, head)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	p.write(w, "application/json", checkpointCacheControl, list)
}

// revocations is the list of revocations as it was last entered in a log; NotFound where it never
// was.
func (p *logPages) revocations(ctx context.Context, institution uint32, head vault.LogHead) ([]byte, error) {
	statements, err := p.Store.LogStatements(ctx, head.Key)
	if err != nil {
		return nil, err
	}
	list := transparency.RevocationList{Key: head.Key, Revocations: []transparency.Revocation{}}
	if list.Origin, err = transparency.OriginOf(head.Key); err != nil {
		return nil, err
	}
	var count uint64
	for _, s := range statements {
		if s.Kind != vault.StatesRevocations || s.Index >= head.Size {
			continue // entered since the head was read
		}
		// Of the entries of one state, the first and the last: since when it was logged, and until
		// when nothing was added.
		one := transparency.LoggedList{Entry: s.Index, At: s.At, Count: s.Count}
		if n := len(list.Logged); n > 1 && list.Logged[n-1].Count == s.Count && list.Logged[n-2].Count == s.Count {
			list.Logged[n-1] = one
		} else {
			list.Logged = append(list.Logged, one)
		}
		count, list.Signed = s.Count, s.Signed
	}
	if list.Signed == "" {
		return nil, fault.New(fault.NotFound, "The log has no list of revocations.")
	}
	if list.Revocations, err = p.readRevocations(ctx, institution, count); err != nil {
		return nil, err
	}
	data, err := json.MarshalIndent(list, "", " ")
	if err != nil {
		return nil, fmt.Errorf("write the list of revocations: %w", err)
	}
	return append(data, '\n'), nil
}

// readRevocations reads the first lines of an institution's list.
func (p *logPages) readRevocations(ctx context.Context, institution uint32, count uint64) ([]transparency.Revocation, error) {
	const group = 1000
	all := []transparency.Revocation{}
	for uint64(len(all)) < count {
		skip := uint64(len(all))
		lines, err := p.Store.Revocations(ctx, institution, skip, int(min(group, count-skip)))
		if err != nil {
			return nil, err
		}
		if len(lines) == 0 {
			return nil, fault.New(fault.Damaged, "lines of the list of revocations are missing; restore the home from a backup")
		}
		for _, r := range lines {
			all = append(all, tlog.PublishedRevocation(r))
		}
	}
	return all, nil
}
