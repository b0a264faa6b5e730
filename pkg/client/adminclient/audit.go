package adminclient

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"unicode"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault/audit"
)

// UserHeader tells an agent which user of the machine its staff is. It is a word,
// not a proof: who reaches the staff's door may do everything.
const UserHeader = "X-Vecctl-User"

// Actor is who a member of the staff says to be.
func Actor(r *http.Request) string { return ActorName(r.Header.Get(UserHeader)) }

// ActorName is how a member of the staff with a name is written down.
func ActorName(name string) string {
	const longest = 64
	name = strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) {
			return -1
		}
		return c
	}, name)
	if name == "" || len(name) > longest {
		return "staff"
	}
	return "staff (" + name + ")"
}

// AuditPath is a call's path as it is written down, in the trail and in logs: who was
// erased is kept in neither.
func AuditPath(r *http.Request) string {
	if rest, ok := strings.CutPrefix(r.URL.Path, recipientsPath); ok {
		if strings.HasSuffix(rest, recipientExportPath) {
			return recipientsPath + "(recipient)" + recipientExportPath
		}
		return recipientsPath + "(erased)"
	}
	return r.URL.Path
}

// AuditTrail returns a piece of the audit trail: the entries behind the one with a number,
// in order. It is empty at the end.
func (c *Client) AuditTrail(ctx context.Context, after uint64) ([]audit.Entry, error) {
	var found []audit.Entry
	err := c.Call(ctx, http.MethodGet, fmt.Sprintf("/panel/audit?after=%d", after), nil, &found)
	return found, err
}

// LatestAudit returns a piece of the audit trail: entries before the one with a number, the latest
// first; 0 is behind the end. It is empty at the beginning.
func (c *Client) LatestAudit(ctx context.Context, before uint64) ([]audit.Entry, error) {
	var found []audit.Entry
	err := c.Call(ctx, http.MethodGet, fmt.Sprintf("/panel/audit/latest?before=%d", before), nil, &found)
	return found, err
}

// EachAuditEntry hands every entry of the audit trail on, and checks that each follows from
// the one before.
func (c *Client) EachAuditEntry(ctx context.Context, each func(audit.Entry) error) (last audit.Entry, err error) {
	for {
		found, err := c.AuditTrail(ctx, last.Seq)
		if err != nil || len(found) == 0 {
			return last, err
		}
		for _, e := range found {
			if err := e.VerifyAfter(last); err != nil {
				return last, fault.At("the audit trail", err)
			}
			if err := each(e); err != nil {
				return last, err
			}
			last = e
		}
	}
}
