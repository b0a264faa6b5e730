package form

import (
	"errors"
	"io"
	"net/http"
	"os"
	"time"
)

// ReadRate is how slowly a body may come: it has a while to begin with, and more for
// every byte that has come.
type ReadRate struct {
	Grace          time.Duration // before the first byte must be answered for
	BytesPerSecond int64         // bytes a second, on the whole
}

// DefaultReadRate lets 20 MB take the better part of an hour.
func DefaultReadRate() ReadRate { return ReadRate{Grace: 30 * time.Second, BytesPerSecond: 8 << 10} }

// LimitBody bounds a request's body in size and slowness. The function is to be
// called when it has been read.
func LimitBody(w http.ResponseWriter, r *http.Request, most int64, pace ReadRate) (done func()) {
	control := http.NewResponseController(w)
	p := &limitedBody{ReadCloser: http.MaxBytesReader(w, r.Body, most), control: control, rate: pace, started: time.Now()}
	p.extendDeadline()
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
	started  time.Time
	read     int64
	deadline time.Time
	ended    bool
	slow     bool
}

func (p *limitedBody) Read(b []byte) (int, error) {
	n, err := p.ReadCloser.Read(b)
	p.read += int64(n)
	switch {
	case err == nil:
		p.extendDeadline()
	case errors.Is(err, io.EOF):
		p.ended = true
	default:
		p.slow = errors.Is(err, os.ErrDeadlineExceeded)
		err = &connError{err}
	}
	return n, err
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

func (p *limitedBody) extendDeadline() {
	until := p.started.Add(p.rate.Grace + time.Duration(p.read)*time.Second/time.Duration(p.rate.BytesPerSecond))
	if until.Sub(p.deadline) >= time.Second {
		p.deadline = until
		_ = p.control.SetReadDeadline(until)
	}
}

// connError is an error of the connection that a body came over.
type connError struct{ err error }

func (s *connError) Error() string { return "reading the request: " + s.err.Error() }
func (s *connError) Unwrap() error { return s.err }
