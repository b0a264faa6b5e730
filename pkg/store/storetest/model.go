package storetest

import (
	"cmp"
	"slices"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// model is a store in its plainest form: slices that are looked through.
type model struct {
	certificates []vault.Certificate // ID = index + 1
	events       map[uint64][]vault.Event
	tails        map[uint64]string
	jobs         []*vault.Job // without the store's IDs until they are claimed
	frozen       map[frozenRow]vault.Date
}

type frozenRow struct {
	institution uint32
	key         vault.Key
}

func newModel() *model {
	return &model{events: map[uint64][]vault.Event{}, tails: map[uint64]string{}, frozen: map[frozenRow]vault.Date{}}
}

func (m *model) holder(institution uint32, key vault.Key) *vault.Certificate {
	for i, c := range m.certificates {
		if c.Institution == institution && c.Key() == key && c.HoldsKey() {
			return &m.certificates[i]
		}
	}
	return nil
}

func (m *model) identityTaken(id vault.Identity) bool {
	return slices.ContainsFunc(m.certificates, func(c vault.Certificate) bool {
		return c.UUID == id.UUID || c.Reference == id.Reference
	})
}

// insert returns false where the whole call is refused.
func (m *model) insert(rows []store.NewCertificate) ([]store.InsertResult, bool) {
	before := len(m.certificates)
	done := make([]store.InsertResult, len(rows))
	for i, row := range rows {
		c := row.Certificate
		if h := m.holder(c.Institution, c.Key()); h != nil {
			done[i] = store.InsertResult{Certificate: *h, Duplicate: true}
			continue
		}
		if m.identityTaken(c.Identity) {
			m.certificates = m.certificates[:before]
			return nil, false
		}
		c.ID = uint64(len(m.certificates) + 1)
		m.certificates = append(m.certificates, c)
		done[i].Certificate = c
	}
	for i, row := range rows {
		if done[i].Duplicate {
			continue
		}
		c := done[i].Certificate
		m.effects(c, row.Effects)
		if row.Freeze != nil {
			k := frozenRow{c.Institution, *row.Freeze}
			if _, ok := m.frozen[k]; !ok {
				m.frozen[k] = c.IssueDate
			}
		}
	}
	return done, true
}

func (m *model) effects(c vault.Certificate, fx vault.Effects) {
	for _, e := range fx.Events {
		e.Certificate = c.ID
		m.events[c.ID] = append(m.events[c.ID], e)
	}
	for _, j := range fx.Jobs {
		j.Certificate, j.Institution, j.Batch = c.ID, c.Institution, c.Batch
		m.jobs = append(m.jobs, &j)
	}
	for _, mail := range fx.Mails {
		j := mail.Job()
		j.Certificate, j.Institution, j.Batch = c.ID, c.Institution, c.Batch
		m.jobs = append(m.jobs, &j)
	}
	if fx.Tail != nil {
		m.tails[c.ID] = string(fx.Tail)
	}
}

func (m *model) change(id uint64, change store.Change) error {
	c, fx, err := change(m.certificates[id-1])
	if err != nil {
		return err
	}
	if h := m.holder(c.Institution, c.Key()); c.HoldsKey() && h != nil && h.ID != id {
		return fault.New(fault.Invalid, "another holds the key")
	}
	m.certificates[id-1] = c
	m.effects(c, fx)
	return nil
}

// due lists the jobs that may be claimed, oldest first.
func (m *model) due(kind vault.JobKind, now time.Time) []*vault.Job {
	var found []*vault.Job
	for _, j := range m.jobs {
		if j.Kind == kind && j.Due(now) {
			found = append(found, j)
		}
	}
	slices.SortStableFunc(found, func(a, b *vault.Job) int { return a.RunAt.Compare(b.RunAt) })
	return found
}

// oldest is when the first of an institution's jobs became due.
func oldest(due []*vault.Job, institution uint32) time.Time {
	for _, d := range due {
		if d.Institution == institution {
			return d.RunAt
		}
	}
	return time.Time{}
}

// claim checks what a store let somebody claim, and does the same. Among jobs
// that are due at one moment, and among institutions, a store is free to choose.
func (m *model) claim(f *fixture, kind vault.JobKind, n int, got []vault.Job) {
	f.Helper()
	due := m.due(kind, f.now)
	for i, j := range got {
		at := slices.IndexFunc(due, func(d *vault.Job) bool {
			return d.Certificate == j.Certificate && d.CreatedAt.Equal(j.CreatedAt) && d.RunAt.Equal(oldest(due, j.Institution))
		})
		if at < 0 {
			f.Fatalf("claimed %+v, which is not the oldest of those due", j)
		}
		if due[at].Suspect() && len(got) > 1 {
			f.Errorf("a suspect was claimed as %d of %d", i+1, len(got))
		}
		want := due[at].Claim(worker, f.now)
		want.ID, want.Mail = j.ID, j.Mail
		f.wantSame(j, want, "the claimed job")
		*due[at] = want
		due = slices.Delete(due, at, at+1)
	}
	suspect := func(d *vault.Job) bool { return d.Suspect() && d.RunAt.Equal(oldest(due, d.Institution)) }
	free := slices.ContainsFunc(due, func(d *vault.Job) bool {
		return !slices.ContainsFunc(due, func(s *vault.Job) bool { return s.Institution == d.Institution && suspect(s) })
	})
	alone := len(got) == 1 && got[0].Suspect()
	if len(got) < n && len(due) > 0 && !alone && (len(got) == 0 || free) {
		f.Errorf("claimed %d of %d, and %d more are due", len(got), n, len(due))
	}
}

// complete returns false where the lease is lost; an error is the transition's.
func (m *model) complete(s store.JobResult) (held bool, err error) {
	at := slices.IndexFunc(m.jobs, func(j *vault.Job) bool {
		return j.ID == s.Job.ID && j.Claimed && j.Owner == s.Job.Owner && j.Attempt == s.Job.Attempt
	})
	if at < 0 {
		return false, nil
	}
	j := m.jobs[at]
	if s.Change != nil {
		if err := m.change(j.Certificate, s.Change); err != nil {
			return true, err
		}
	}
	if !s.Retry && !s.Release {
		m.jobs = slices.Delete(m.jobs, at, at+1)
		return true, nil
	}
	j.RunAt, j.PutOff, j.LastError, j.Claimed, j.Owner = s.Job.RunAt, s.Job.PutOff, s.Job.LastError, false, ""
	if s.Release {
		j.Attempt--
	}
	return true, nil
}

func (m *model) requeueOrphaned(now time.Time) (n int) {
	for _, j := range m.jobs {
		if j.Claimed {
			*j = j.Orphaned(now)
			n++
		}
	}
	return n
}

func (m *model) nextRun(kind vault.JobKind) (at time.Time) {
	for _, j := range m.jobs {
		if j.Kind == kind && (at.IsZero() || j.RunAt.Before(at)) {
			at = j.RunAt
		}
	}
	return at
}

func (m *model) queues(now time.Time) map[vault.JobKind]store.QueueLength {
	all := map[vault.JobKind]store.QueueLength{}
	for _, j := range m.jobs {
		q := all[j.Kind]
		if j.RunAt.After(now) {
			q.Later++
		} else {
			q.Waiting++
		}
		all[j.Kind] = q
	}
	return all
}

func (m *model) counts(fits func(vault.Certificate) bool) (n vault.Counts) {
	for _, c := range m.certificates {
		if fits(c) {
			n.Add(c.Status, 1)
		}
	}
	return n
}

func (m *model) list(f store.Filter, page, perPage int) store.Page {
	found := selected(m.certificates, f)
	slices.SortFunc(found, func(a, b vault.Certificate) int { return cmp.Compare(b.ID, a.ID) })
	first := min((page-1)*perPage, len(found))
	return store.Page{Certificates: found[first:min(first+perPage, len(found))], Total: len(found)}
}
