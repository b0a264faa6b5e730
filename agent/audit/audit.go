// Package audit writes the acts of staff, and of the stores that the authority
// certifies, down, and hands the trail of them over.
package audit

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/vecctl/vecctl/pkg/client/staff"
	"github.com/vecctl/vecctl/pkg/vault/act"
)

// actsGroup is how many entries of the audit trail are handed over at a time.
const actsGroup = 1000

// Records are where acts are written down.
type Records interface {
	Acts(ctx context.Context, after uint64, n int) ([]act.Entry, error)
	NoteAct(ctx context.Context) error
}

// Trail is the audit trail of a home.
type Trail struct {
	Records Records
	Now     func() time.Time
	Log     *slog.Logger
}

// Acts is a piece of the audit trail.
func (t *Trail) Acts(ctx context.Context, after uint64) ([]act.Entry, error) {
	return t.Records.Acts(ctx, after, actsGroup)
}

// Around writes the acts of the staff down: each call that may change something
// and was not refused.
func (t *Trail) Around(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			next.ServeHTTP(w, r)
			return
		}
		p := &act.Pending{Act: act.Act{Who: staff.Title(r), What: r.Method + " " + staff.Path(r), From: "local"}, At: t.Now()}
		outer := r
		r = r.WithContext(act.Into(r.Context(), p))
		defer func() { outer.Pattern = r.Pattern }() // who counts calls counts by it
		// A batch is written down with its first certificate; where nothing was issued,
		// or only tried, nothing was done.
		if r.URL.Path == "/panel/bulk" {
			next.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(&answered{ResponseWriter: w, done: func() { t.note(r.Context()) }}, r)
	})
}

// note writes the act of a call's context down, unless its first change did so.
func (t *Trail) note(ctx context.Context) {
	if err := t.Records.NoteAct(context.WithoutCancel(ctx)); err != nil {
		t.Log.Error("an act could not be written down", "error", err)
	}
}

// answered says that a call was done, before the caller hears of it: who has the
// answer may end the agent.
type answered struct {
	http.ResponseWriter
	done func()
	told bool
}

func (w *answered) WriteHeader(status int) {
	if !w.told && status < http.StatusBadRequest {
		w.done()
	}
	w.told = true
	w.ResponseWriter.WriteHeader(status)
}

func (w *answered) Write(p []byte) (int, error) {
	if !w.told {
		w.told = true
		w.done()
	}
	return w.ResponseWriter.Write(p)
}

// Flush hands on what was written so far, to those who ask for it in this way.
func (w *answered) Flush() { _ = http.NewResponseController(w.ResponseWriter).Flush() }

// Unwrap lets http.ResponseController find what lies below.
func (w *answered) Unwrap() http.ResponseWriter { return w.ResponseWriter }
