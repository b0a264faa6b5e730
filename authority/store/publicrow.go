package store

import (
	"strconv"
	"strings"
	"time"

	"github.com/vecctl/vecctl/authority"
	"github.com/vecctl/vecctl/pkg/fault"
)

// What everybody may see of a certification stands beside its hash, as texts with
// NUL between them, which no field holds: verifying must cost little, and reading
// JSON would be most of it.
const publicFields = 13

func formatPublic(c authority.Certification) []byte {
	return []byte(strings.Join([]string{
		c.ID, c.Store, c.Domain, c.Project, string(c.State), string(c.Badge), c.SDKVersion, c.Key, c.Nonce,
		seconds(c.IssuedAt), seconds(c.ExpiresAt), seconds(c.RevokedAt), c.Reason,
	}, "\x00"))
}

func parsePublic(hash, row string) (authority.Certification, error) {
	f := strings.SplitN(row, "\x00", publicFields+1)
	damaged := fault.New(fault.Damaged, "a record of the authority cannot be read; restore the home from a backup")
	if len(f) != publicFields {
		return authority.Certification{}, damaged
	}
	c := authority.Certification{
		Hash: hash, ID: f[0], Store: f[1], Domain: f[2], Project: f[3], State: authority.State(f[4]), Badge: authority.Badge(f[5]),
		SDKVersion: f[6], Key: f[7], Nonce: f[8], Reason: f[12],
	}
	for i, into := range []*time.Time{&c.IssuedAt, &c.ExpiresAt, &c.RevokedAt} {
		if f[9+i] == "" {
			continue
		}
		n, err := strconv.ParseInt(f[9+i], 10, 64)
		if err != nil {
			return c, damaged
		}
		*into = time.Unix(n, 0).UTC()
	}
	return c, nil
}

func seconds(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return strconv.FormatInt(t.Unix(), 10)
}
