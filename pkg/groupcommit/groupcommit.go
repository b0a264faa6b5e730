// Package groupcommit commits together what comes while another commit is under way.
package groupcommit

import "sync"

// Queue gathers operations on a T. A caller that finds nobody committing
// commits at once; callers that come meanwhile gather, and the first of them
// commits for all. Nobody waits for company, and no operation is run twice.
type Queue[T any] struct {
	commit  func([]func(T) error) []error
	mu      sync.Mutex
	waiting []*op[T]
	busy    bool
}

type op[T any] struct {
	run  func(T) error
	done chan error
	lead chan struct{}
}

// New makes a queue. The function commits operations and returns what became of
// each; it is never called twice at once.
func New[T any](commit func([]func(T) error) []error) *Queue[T] {
	return &Queue[T]{commit: commit}
}

// Do has an operation committed and returns what became of it.
func (q *Queue[T]) Do(run func(T) error) error {
	o := &op[T]{run: run, done: make(chan error, 1), lead: make(chan struct{}, 1)}
	q.mu.Lock()
	q.waiting = append(q.waiting, o)
	first := !q.busy
	q.busy = true
	q.mu.Unlock()
	if !first {
		select {
		case err := <-o.done:
			return err
		case <-o.lead:
		}
	}
	q.lead()
	return <-o.done
}

// lead commits all that wait, and hands over to the first that came meanwhile.
func (q *Queue[T]) lead() {
	q.mu.Lock()
	group := q.waiting
	q.waiting = nil
	q.mu.Unlock()
	runs := make([]func(T) error, len(group))
	for i, o := range group {
		runs[i] = o.run
	}
	for i, err := range q.commit(runs) {
		group[i].done <- err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) > 0 {
		q.waiting[0].lead <- struct{}{}
	} else {
		q.busy = false
	}
}
