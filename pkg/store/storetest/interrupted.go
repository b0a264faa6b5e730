package storetest

import (
	"context"
	"errors"
	"reflect"
	"sync"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/apiaccess"
	"github.com/vecctl/vecctl/pkg/vault/webhook"
)

// interruptionTests are what stores promise to callers that give up and to those that
// die.
func interruptionTests() []test {
	return []test{
		{"a context that has ended", endedContext},
		{"a context that ends during a change", contextEndsDuringChange},
		{"contexts that end at any moment", contextsEndAnyTime},
		{"a process that is killed", killed},
	}
}

// endedContext calls every method that takes a context with one that has ended.
func endedContext(f *fixture) {
	c := f.insertOne(f.a, f.draft())
	ctx, cancel := context.WithCancel(f.Context())
	cancel()
	contract, called := reflect.TypeFor[store.Store](), 0
	for method := range contract.Methods() {
		if method.Type.NumIn() == 0 || method.Type.In(0) != reflect.TypeFor[context.Context]() {
			continue
		}
		called++
		arguments := []reflect.Value{reflect.ValueOf(ctx)}
		for i := 1; i < method.Type.NumIn(); i++ {
			arguments = append(arguments, reflect.Zero(method.Type.In(i)))
		}
		call := reflect.ValueOf(f.store).MethodByName(method.Name).Call
		if method.Type.IsVariadic() {
			call = reflect.ValueOf(f.store).MethodByName(method.Name).CallSlice
		}
		results := call(arguments)
		if err, _ := reflect.TypeAssert[error](results[len(results)-1]); !errors.Is(err, context.Canceled) {
			f.Errorf("%s: error %v", method.Name, err)
		}
	}
	const most = 70 // of the methods take a context
	if called < most {
		f.Errorf("only %d methods were called", called)
	}
	f.finds(store.Filter{Institution: f.a}, c)
	f.wantSame(f.read(c), c, "the certificate")
	if got := f.queues()[vault.JobSign]; got != (store.QueueLength{Waiting: 1}) {
		f.Errorf("queue %+v", got)
	}
}

// interruptible is a change that ends its own context, and what it changes.
type interruptible struct {
	name   string
	change func(ctx context.Context, end func()) error
	state  func() any
}

// contextEndsDuringChange ends a call's context inside the function that it passes in:
// either the change is done and there is no error, or the context's error is returned and
// nothing is changed.
func contextEndsDuringChange(f *fixture) {
	for _, one := range f.interruptibles() {
		ctx, cancel := context.WithCancel(f.during(one.name))
		before, trail := f.written(one.state()), len(f.auditTrail())
		err := one.change(ctx, cancel)
		if ctx.Err() == nil {
			f.Errorf("%s: the function was not called", one.name)
		}
		changed, recorded := f.written(one.state()) != before, len(f.auditTrail())-trail
		switch {
		case err == nil && changed && recorded == 1:
		case errors.Is(err, context.Canceled) && !changed && recorded == 0:
		default:
			f.Errorf("%s: error %v, changed: %t, %d audit entries", one.name, err, changed, recorded)
		}
	}
}

func (f *fixture) interruptibles() []interruptible {
	f.Helper()
	c, e, upload := f.insertOne(f.a, f.draft()), f.endpoint(f.a, vault.EventCreated), f.row(f.upload(f.a))
	approved, _ := f.approved(f.a, unchanged)
	token, _ := f.token(f.a, "one")
	b := f.openBatch(f.batch(f.a, "spring", ""))
	f.check(f.store.QueueMail(f.Context(), vault.Mail{Institution: f.a, To: "x@example.com", State: vault.MailWaiting, CreatedAt: f.tick()}))
	mails := f.mailsOf(store.MailFilter{Institution: f.a, State: vault.MailWaiting})
	mail := mails[0]
	correction, err := f.store.AddCorrection(f.Context(), vault.CorrectionRequest{Institution: f.a, Certificate: c.UUID, At: f.now})
	f.check(err)
	rows := f.rows()
	next, err := vault.NewIdentity(f.random, f.tick(), 2026)
	f.check(err)
	return append(f.interruptibleRecords(token, mail, correction, e, b), []interruptible{
		{"change", func(ctx context.Context, end func()) error {
			_, err := f.store.Change(ctx, f.a, c.UUID, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
				end()
				return approve(f.tick())(c)
			})
			return err
		}, func() any { return f.read(c) }},
		{"insert atomic", func(ctx context.Context, end func()) error {
			_, _, err := f.store.InsertAtomic(ctx, store.AtomicBatch{Rows: []store.AtomicRow{upload}, Response: func([]vault.Certificate) (apiaccess.StoredResponse, error) {
				end()
				return responseTo("key", f), nil
			}})
			return err
		}, func() any { return []any{f.counts(f.a), f.uploads(f.a, upload.Upload)} }},
		{"reissue", func(ctx context.Context, end func()) error {
			_, err := f.store.Reissue(ctx, f.a, approved.UUID, func(c vault.Certificate) (vault.Reissue, error) {
				end()
				name := "Right Name"
				return c.Reissue(vault.Amendment{Changes: vault.Changes{Name: &name}}, next, f.tick())
			})
			return err
		}, func() any { return []any{f.counts(f.a), f.read(approved)} }},
		{"rows", func(ctx context.Context, end func()) error {
			return rows.Update(ctx, func(w store.RowWriter) error {
				end()
				w.Put("x_things", "k", []byte("v"))
				return nil
			})
		}, func() any { return f.scan(rows, "x_things", "") }},
	}...)
}

func (f *fixture) interruptibleRecords(token apiaccess.Token, mail vault.Mail, correction vault.CorrectionRequest,
	e webhook.Endpoint, b vault.Batch) []interruptible {
	return []interruptible{
		{"token", func(ctx context.Context, end func()) error {
			_, err := f.store.ChangeToken(ctx, f.a, token.ID, func(t apiaccess.Token) (apiaccess.Token, error) { end(); return t.Revoke(f.tick()) })
			return err
		}, func() any { all, err := f.store.Tokens(f.Context(), f.a); f.check(err); return all }},
		{"mail", func(ctx context.Context, end func()) error {
			_, err := f.store.ChangeMail(ctx, mail.ID, func(m vault.Mail) (vault.Mail, error) { end(); return m.Cancel("why", f.tick()) })
			return err
		}, func() any { return f.mailsOf(store.MailFilter{Institution: f.a}) }},
		{"correction", func(ctx context.Context, end func()) error {
			_, err := f.store.ChangeCorrection(ctx, f.a, correction.ID, func(c vault.CorrectionRequest) (vault.CorrectionRequest, error) {
				end()
				return c.Finish(f.tick())
			})
			return err
		}, func() any { all, err := f.store.Corrections(f.Context(), f.a, true); f.check(err); return all }},
		{"endpoint", func(ctx context.Context, end func()) error {
			_, err := f.store.ChangeEndpoint(ctx, f.a, e.ID, func(e webhook.Endpoint) (webhook.Endpoint, error) { end(); return e.Delete(f.tick()) })
			return err
		}, func() any { all, err := f.store.Endpoints(f.Context(), f.a); f.check(err); return all }},
		{"batch", func(ctx context.Context, end func()) error {
			_, err := f.store.ChangeBatch(ctx, f.a, b.ID, func(b vault.Batch) (vault.Batch, error) { end(); return b.Pause(f.tick()) }, fail(f.now))
			return err
		}, func() any { found, err := f.store.Batch(f.Context(), f.a, b.ID); f.check(err); return found }},
	}
}

// contextsEndAnyTime gives up on calls at all kinds of moments while others write.
func contextsEndAnyTime(f *fixture) {
	const callers, calls = 8, 25
	rows := make([][]store.NewCertificate, callers)
	for i := range rows {
		for range calls {
			rows[i] = append(rows[i], f.newCertificate(f.a, f.draft()))
		}
	}
	var mu sync.Mutex
	kept := 0
	var work sync.WaitGroup
	for i := range rows {
		work.Go(func() {
			for n, row := range rows[i] {
				ctx, cancel := context.WithTimeout(f.Context(), time.Duration(n*n*(i+1))*10*time.Microsecond)
				_, err := f.store.Insert(ctx, []store.NewCertificate{row})
				cancel()
				_, missing := f.store.Certificate(f.Context(), f.a, row.Certificate.UUID)
				switch {
				case err == nil && missing == nil:
					mu.Lock()
					kept++
					mu.Unlock()
				case errors.Is(err, context.DeadlineExceeded) && fault.Is(missing, fault.NotFound):
				default:
					f.Errorf("error %v, and reading it: %v", err, missing)
				}
			}
		})
	}
	work.Wait()
	if n := f.counts(f.a).Sum(); n != kept {
		f.Errorf("%d certificates are counted and %d were kept", n, kept)
	}
}
