package webhook

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/vecctl/vecctl/pkg/vault"
)

// TaskKind is what is to be done with an event that others told us.
type TaskKind string

// The kinds of task.
const (
	Forward TaskKind = "forward" // send it on to an address
	Run     TaskKind = "exec"    // run a command
	Apply   TaskKind = "apply"   // note the state of a certificate that was sent to a remote vault
)

// InboundTask is one thing to be done with a received event.
type InboundTask struct {
	Kind     TaskKind  `json:"kind"`
	Target   string    `json:"target,omitempty"` // the address or the command
	State    State     `json:"state"`
	Attempts int       `json:"tries"`
	RunAt    time.Time `json:"run_at"`
	Error    string    `json:"error,omitempty"` // of the latest try
}

// InboundEvent is an event that others told us, with what is to be done with it.
type InboundEvent struct {
	Seq uint64 `json:"seq"` // given by the store, in order of arrival
	// Identity is the same each time the same event comes, and so are the aliases that
	// come with it: a replay can leave out some of them, not all.
	Identity string    `json:"identity"`
	Aliases  []string  `json:"aliases,omitempty"`
	At       time.Time `json:"at"`
	Event    string    `json:"event"`
	Subject  string    `json:"subject,omitempty"` // UUID of the certificate
	Body     []byte    `json:"body"`              // as it came
	// Headers are those of the delivery that say something of it, by their canonical names.
	Headers map[string][]string `json:"headers,omitempty"`
	Tasks   []InboundTask       `json:"tasks,omitempty"`
}

// Identities are the identity and its aliases.
func (r InboundEvent) Identities() []string { return append([]string{r.Identity}, r.Aliases...) }

// maxAliases bounds what a sender can have remembered of one event.
const maxAliases = 32

// Merge returns the event with the identities of one that is the same.
func (r InboundEvent) Merge(same InboundEvent) InboundEvent {
	r.Aliases = slices.Clone(r.Aliases)
	for _, id := range same.Identities() {
		if id != r.Identity && !slices.Contains(r.Aliases, id) && len(r.Aliases) < maxAliases {
			r.Aliases = append(r.Aliases, id)
		}
	}
	return r
}

// Names reports whether the event's content names an address, which is given folded.
func (r InboundEvent) Names(folded string) bool {
	return folded != "" && strings.Contains(vault.FoldEmail(string(r.Body)), folded)
}

// BodyIdentity is the identity that an event has by its body alone.
func BodyIdentity(body []byte) string {
	sum := sha256.Sum256(body)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// NotYetDue is Delivery.NotYetDue for a task.
func (t InboundTask) NotYetDue(now time.Time) bool {
	wait := t.RunAt.Sub(now)
	if wait <= 0 || t.Attempts == 0 {
		return false
	}
	pauses := vault.RetryPolicyOf(vault.JobInbound).Pauses
	return wait <= pauses[min(t.Attempts, len(pauses))-1]
}

// NewInboundTask is a task that is due at once.
func NewInboundTask(kind TaskKind, target string, now time.Time) InboundTask {
	return InboundTask{Kind: kind, Target: target, State: Pending, RunAt: now}
}

// ApplyTaskResult is what a try makes of task number i; failure is "" for a success.
func (r InboundEvent) ApplyTaskResult(i int, failure string, now time.Time) InboundEvent {
	r.Tasks = slices.Clone(r.Tasks)
	t := &r.Tasks[i]
	t.Attempts++
	t.Error = failure
	policy := vault.RetryPolicyOf(vault.JobInbound)
	switch {
	case failure == "":
		t.State = Delivered
	case t.Attempts >= policy.Attempts:
		t.State = GivenUp
	default:
		t.RunAt = now.Add(policy.Pauses[t.Attempts-1])
	}
	return r
}
