package form

import (
	"errors"
	"io"
	"net/http"
	"os"
	"time"
)

// ReadRate is how slowly a body may come. A sender may fall behind the rate by as much as
// it sends in the grace time. What came quicker than the rate is no credit beyond that:
// a body of which much has come at once must not stand still for longer than another.
type ReadRate struct {
	Grace          time.Duration
	BytesPerSecond int64
}

// DefaultReadRate lets 20 MB take the better part of an hour.
func DefaultReadRate() ReadRate { return ReadRate{Grace: 30 * time.Second, BytesPerSecond: 8 << 10} }

// LimitBody bounds a request's body in size and slowness. The function is to be
// called when it has been read.
func LimitBody(w http.ResponseWriter, r *http.Request, most int64, pace ReadRate) (done func()) {
	p := &limitedBody{ReadCloser: http.MaxBytesReader(w, r.Body, most), control: http.NewResponseController(w), rate: pace, credit: pace.Grace}
	p.setDeadline(time.Now())
	p.ended = r.Body == http.NoBody
	r.Body = p
	return p.done
}

// limitedBody is a body whose reader must not wait for ever. Deadlines of the network
// are of the real clock, so that is read here.
type limitedBody struct {
	io.ReadCloser
	control  *http.ResponseController
	rate     ReadRate
	credit   time.Duration // how long the sender may be waited for now
	deadline time.Time
	ended    bool
	slow     bool
}

func (p *limitedBody) Read(b []byte) (int, error) {
	begun := time.Now()
	p.setDeadline(begun)
	n, err := p.ReadCloser.Read(b)
	// What the receiver does between two reads takes nothing of the sender's time.
	p.credit += time.Duration(n)*time.Second/time.Duration(p.rate.BytesPerSecond) - time.Since(begun)
	p.credit = min(p.credit, p.rate.Grace)
	switch {
	case err == nil:
	case errors.Is(err, io.EOF):
		p.ended = true
	default:
		p.slow = errors.Is(err, os.ErrDeadlineExceeded)
		err = &connError{err}
	}
	return n, err
}

// setDeadline gives a read that begins now the time that the sender has. A deadline that
// is nearly right stays: to change one costs more than many a read.
func (p *limitedBody) setDeadline(now time.Time) {
	until := now.Add(p.credit)
	if until.Sub(p.deadline).Abs() >= p.rate.Grace/32 {
		p.deadline = until
		_ = p.control.SetReadDeadline(until)
	}
}

// done lets the answer take its time once the body has come. Of one that has not, the
// server reads what is left before it answers: a client that does not send it is not
// waited for. Transports without deadlines have no slow clients.
func (p *limitedBody) done() {
	switch {
	case p.ended:
		_ = p.control.SetReadDeadline(time.Time{})
	case !p.slow:
		_ = p.control.SetReadDeadline(time.Now().Add(p.rate.Grace))
	}
}

// connError is an error of the connection that a body came over.
type connError struct{ err error }

func (s *connError) Error() string { return "reading the request: " + s.err.Error() }
func (s *connError) Unwrap() error { return s.err }
