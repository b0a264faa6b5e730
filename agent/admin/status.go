package admin

import (
	"context"
	"fmt"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Status returns what the home holds and what waits in it.
func (s *Service) Status(ctx context.Context) (adminclient.AgentStatus, error) {
	institution := s.institutions.Acting(ctx)
	counts, err := s.store.Counts(ctx, institution.ID)
	if err != nil {
		return adminclient.AgentStatus{}, err
	}
	queues, err := s.store.Queues(ctx, s.now())
	if err != nil {
		return adminclient.AgentStatus{}, err
	}
	corrections, err := s.store.Corrections(ctx, institution.ID, false)
	if err != nil {
		return adminclient.AgentStatus{}, err
	}
	status := adminclient.AgentStatus{
		Home: string(s.home), HomeID: s.institutions.HomeID(), Institution: institution.Name, Slug: institution.Slug, Institutions: len(s.institutions.IDs()), TimeZone: institution.TimeZone, Sender: institution.Sender,
		BaseURL: s.institutions.BaseURL(), Relay: s.relay, Certificates: map[string]int{}, Jobs: map[string]adminclient.Queue{},
		DatabaseSize: s.store.Size(), Corrections: len(corrections), Problems: s.problems(), Drop: s.dropStatus(institution.ID),
	}
	for _, state := range vault.Statuses() {
		status.Certificates[string(state)] = counts.Of(state)
	}
	if q := queues[vault.JobTimestamp]; q.Waiting+q.Later > 0 {
		status.Problems = append(status.Problems, adminclient.Problem{Kind: "timestamps", Message: fmt.Sprintf(
			"%d verified PDFs lack their time stamp; an agent adds it as soon as a time stamp server answers as it should (vecctl doctor asks each one)", q.Waiting+q.Later)})
	}
	if q := queues[vault.JobPreserve]; q.Waiting+q.Later > 0 {
		status.Problems = append(status.Problems, adminclient.Problem{Kind: "levels", Message: fmt.Sprintf(
			"%d verified PDFs wait for the validation data or the time stamp that signing.level or \"vecctl seal renew\" demands; an agent adds it as soon as it can", q.Waiting+q.Later)})
	}
	if q := queues[vault.JobCosign]; q.Waiting+q.Later > 0 {
		status.Problems = append(status.Problems, adminclient.Problem{Kind: "cosignatures", Message: fmt.Sprintf(
			"%d verified PDFs lack the cosignatures of witnesses; an agent adds them as soon as enough witnesses have signed (vecctl tlog status)", q.Waiting+q.Later)})
	}
	for kind, q := range queues {
		status.Jobs[string(kind)] = adminclient.Queue{Waiting: q.Waiting, Later: q.Later}
	}
	return status, nil
}

// problems returns what staff should know.
func (s *Service) problems() []adminclient.Problem {
	shown := []adminclient.Problem{}
	for _, p := range s.health.Problems() {
		if p.Name == adminclient.KeyProblem {
			continue // the institutions say it as it is now
		}
		shown = append(shown, adminclient.Problem{Kind: p.Name, Message: p.Message, Blocking: p.Blocking})
	}
	return append(shown, s.institutions.Problems()...)
}

// dropStatus returns the state of the drop folder as far as it concerns an institution; nil
// where none is watched.
func (s *Service) dropStatus(institution uint32) *adminclient.DropFolder {
	w := s.dropFolder.Load()
	if w == nil {
		return nil
	}
	return w.Status().Of(institution).ToAPI()
}
