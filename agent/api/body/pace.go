package body

import (
	"errors"
	"io"
	"net/http"
	"os"
	"time"
)

// Pace is how slowly a body may come: it has a while to begin with, and more for
// every byte that has come.
type Pace struct {
	Patience time.Duration // before the first byte must be answered for
	Rate     int64         // bytes a second, on the whole
}

// DefaultPace lets 20 MB take the better part of an hour.
func DefaultPace() Pace { return Pace{Patience: 30 * time.Second, Rate: 8 << 10} }

// Bound bounds a request's body in size and slowness. The function is to be
// called when it has been read.
func Bound(w http.ResponseWriter, r *http.Request, most int64, pace Pace) (done func()) {
	control := http.NewResponseController(w)
	p := &paced{ReadCloser: http.MaxBytesReader(w, r.Body, most), control: control, pace: pace, begun: time.Now()}
	p.extend()
	p.ended = r.Body == http.NoBody
	r.Body = p
	return p.done
}

// paced is a body whose reader must not wait for ever. Deadlines of the network
// are of the real clock, so that is read here.
type paced struct {
	io.ReadCloser
	control *http.ResponseController
	pace    Pace
	begun   time.Time
	read    int64
	until   time.Time
	ended   bool
	slow    bool
}

func (p *paced) Read(b []byte) (int, error) {
	n, err := p.ReadCloser.Read(b)
	p.read += int64(n)
	switch {
	case err == nil:
		p.extend()
	case errors.Is(err, io.EOF):
		p.ended = true
	default:
		p.slow = errors.Is(err, os.ErrDeadlineExceeded)
		err = &source{err}
	}
	return n, err
}

// done lets the answer take its time once the body has come. Of one that has not, the
// server reads what is left before it answers: a client that does not send it is not
// waited for. Transports without deadlines have no slow clients.
func (p *paced) done() {
	switch {
	case p.ended:
		_ = p.control.SetReadDeadline(time.Time{})
	case !p.slow:
		_ = p.control.SetReadDeadline(time.Now().Add(p.pace.Patience))
	}
}

func (p *paced) extend() {
	until := p.begun.Add(p.pace.Patience + time.Duration(p.read)*time.Second/time.Duration(p.pace.Rate))
	if until.Sub(p.until) >= time.Second {
		p.until = until
		_ = p.control.SetReadDeadline(until)
	}
}

// source is an error of the connection that a body came over.
type source struct{ err error }

func (s *source) Error() string { return "reading the request: " + s.err.Error() }
func (s *source) Unwrap() error { return s.err }
