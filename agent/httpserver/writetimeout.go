package httpserver

import (
	"io"
	"net/http"
	"time"
)

// DefaultWriteTimeout is how long the reader of a response may take for a piece of it.
const DefaultWriteTimeout = time.Minute

// maxPiece is how much of a response leaves under one deadline, in bytes. A reader must
// take so much in the time, which the slowest lines do.
const maxPiece = 256 << 10

// WriteTimeout ends responses whose reader stands still. A client that asks and never reads
// would hold a connection and what stands behind it for ever. A response that is read may
// take any time.
func WriteTimeout(timeout time.Duration) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(&deadlineWriter{ResponseWriter: w, control: http.NewResponseController(w), timeout: timeout}, r)
		})
	}
}

// deadlineWriter gives each piece of a response its time. What is buffered at the end leaves
// under the deadline of the last piece; the next response on the connection has its own.
type deadlineWriter struct {
	http.ResponseWriter
	control *http.ResponseController
	timeout time.Duration
	set     time.Time // when the deadline was set
}

// extend sets the deadline anew. One that is nearly right stays.
func (d *deadlineWriter) extend() {
	if now := time.Now(); now.Sub(d.set) > d.timeout/32 {
		d.set = now
		_ = d.control.SetWriteDeadline(now.Add(d.timeout)) // transports without deadlines have no slow readers
	}
}

func (d *deadlineWriter) Write(p []byte) (written int, err error) {
	for {
		piece := p[:min(len(p), maxPiece)]
		d.extend()
		n, err := d.ResponseWriter.Write(piece)
		written += n
		if p = p[len(piece):]; err != nil || len(p) == 0 {
			return written, err
		}
	}
}

// ReadFrom lets the system copy files by itself, a piece at a time.
func (d *deadlineWriter) ReadFrom(r io.Reader) (written int64, err error) {
	whole, ok := r.(*io.LimitedReader)
	if !ok {
		whole = &io.LimitedReader{R: r, N: 1<<63 - 1}
	}
	for whole.N > 0 {
		// The system copies what is a file, or a file with a limit, not with two.
		piece := &io.LimitedReader{R: whole.R, N: min(whole.N, maxPiece)}
		asked := piece.N
		d.extend()
		n, err := io.Copy(d.ResponseWriter, piece)
		written, whole.N = written+n, whole.N-n
		if err != nil || n < asked {
			return written, err
		}
	}
	return written, nil
}

// Flush sends what is buffered.
func (d *deadlineWriter) Flush() {
	d.extend()
	_ = d.control.Flush() // a reader who has gone waits for nothing
}

// Unwrap is for http.ResponseController.
func (d *deadlineWriter) Unwrap() http.ResponseWriter { return d.ResponseWriter }
