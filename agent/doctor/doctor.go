// Package doctor looks at a home and its machine for what is wrong or will be,
// and says how to fix each. It changes nothing.
package doctor

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/pdf"
)

// Level is how bad a finding is.
type Level string

// The levels.
const (
	OK    Level = "ok"
	Note  Level = "note"  // worth knowing; nothing has to be done
	Wrong Level = "wrong" // has to be fixed
)

// Finding is the result of one check.
type Finding struct {
	Check   string `json:"check"`
	Level   Level  `json:"level"`
	Message string `json:"message"`
	Fix     string `json:"mend,omitempty"` // what to do
}

// Disk is what is known of a file system.
type Disk struct {
	Free, Total uint64 // bytes
	Kind        string // "" where it is not known
	Network     bool
}

// Vault is what is asked of the agent on the home, or of one in this process.
type Vault interface {
	AgentStatus(ctx context.Context) (adminclient.AgentStatus, error)
	Keys(ctx context.Context) ([]adminclient.Key, error)
	TestKeys(ctx context.Context) ([]adminclient.KeyCheck, error)
	List(ctx context.Context, f client.Filter) (client.Page[client.Certificate], error)
	Download(ctx context.Context, name string, w io.Writer) (int64, error)
	VerifyHome(ctx context.Context) (adminclient.Verification, error)
}

// Target is a home on a machine.
type Target struct {
	Home    string
	Secrets []string // files and folders that nobody else may read
	Keys    []string // files of signing keys, or of where they lie
	Drop    string   // the drop folder
	Poll    bool     // it is looked into without events
	BaseURL string
	Default string // what BaseURL is until it is set

	DiskOf    func(folder string) (Disk, error)
	Transport http.RoundTripper
	Now       func() time.Time

	// Letters, where set, lists characters of texts that no font holds with which this
	// machine prints reports.
	MissingCharacters func(texts []string) ([]string, error)

	Timestamper *pdf.Timestamper // nil: no time stamps

	// Vault is nil when it cannot be asked; Refused then says why.
	Vault       Vault
	OpenFailure *Finding
	Running     bool // Vault is an agent that runs
	Deep        bool // every record and every document is read
}

// Run makes all checks.
func (p Target) Run(ctx context.Context) []Finding {
	var found []Finding
	for _, check := range []func(context.Context) []Finding{
		p.permissions, p.owners, p.disk, p.drop, p.keys, p.CheckBaseURL, p.timestamps, p.signers, p.vault,
	} {
		found = append(found, check(ctx)...)
	}
	return found
}

func single(f Finding) []Finding { return []Finding{f} }

func ok(check, format string, args ...any) []Finding {
	return single(Finding{Check: check, Level: OK, Message: fmt.Sprintf(format, args...)})
}

func warning(check, fix, format string, args ...any) []Finding {
	return single(Finding{Check: check, Level: Note, Message: fmt.Sprintf(format, args...), Fix: fix})
}

func failure(check, fix, format string, args ...any) []Finding {
	return single(Finding{Check: check, Level: Wrong, Message: fmt.Sprintf(format, args...), Fix: fix})
}

// Healthy reports whether nothing is wrong.
func Healthy(found []Finding) bool {
	for _, f := range found {
		if f.Level == Wrong {
			return false
		}
	}
	return true
}

// days is a time in whole days.
func days(d time.Duration) int { return int(d / (24 * time.Hour)) }

func kindName(kind string) string { return cmp.Or(kind, "a file system of unknown kind") }
