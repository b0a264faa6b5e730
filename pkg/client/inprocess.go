package client

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
)

// InProcess returns a transport that calls a handler in the same process. The handler runs
// beside the caller, and its response is streamed as it is written.
func InProcess(h http.Handler) http.RoundTripper { return inProcess{h} }

type inProcess struct{ handler http.Handler }

func (t inProcess) RoundTrip(req *http.Request) (*http.Response, error) {
	r, w := io.Pipe()
	answer := &inProcessWriter{header: http.Header{}, body: w, started: make(chan struct{}), noBody: req.Method == http.MethodHead}
	inner := req.Clone(req.Context())
	inner.RequestURI = req.URL.RequestURI()
	if inner.Body == nil {
		inner.Body = http.NoBody
	}
	trailer := http.Header{}
	go func() {
		defer inner.Body.Close()
		defer func() {
			// One that ended because its caller did has no answer, not an empty one.
			if err := req.Context().Err(); err != nil && !answer.hasStarted() {
				_ = recover()
				_ = w.CloseWithError(err)
				return
			}
			answer.WriteHeader(http.StatusOK)
			// A handler that panics must not take the caller with it; net/http's
			// server does the same.
			if p := recover(); p != nil {
				_ = w.CloseWithError(io.ErrUnexpectedEOF)
				return
			}
			for name, values := range answer.header {
				if name, ok := strings.CutPrefix(name, http.TrailerPrefix); ok {
					trailer[name] = values // read behind the body's end
				}
			}
			_ = w.Close()
		}()
		t.handler.ServeHTTP(answer, inner)
	}()
	select {
	case <-answer.started:
	case <-req.Context().Done():
		_ = r.CloseWithError(req.Context().Err())
		return nil, req.Context().Err()
	}
	return &http.Response{
		Status: fmt.Sprintf("%d %s", answer.status, http.StatusText(answer.status)), StatusCode: answer.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: answer.sent, Body: r, ContentLength: -1, Request: req, Trailer: trailer,
	}, nil
}

// inProcessWriter is the handler's side.
type inProcessWriter struct {
	header  http.Header
	body    *io.PipeWriter
	once    sync.Once
	status  int
	sent    http.Header
	started chan struct{}
	noBody  bool // the answer to HEAD has no body
}

func (a *inProcessWriter) Header() http.Header { return a.header }

func (a *inProcessWriter) WriteHeader(status int) {
	a.once.Do(func() {
		a.status, a.sent = status, a.header.Clone()
		close(a.started)
	})
}

func (a *inProcessWriter) hasStarted() bool {
	select {
	case <-a.started:
		return true
	default:
		return false
	}
}

func (a *inProcessWriter) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	if a.noBody {
		return len(p), nil
	}
	return a.body.Write(p)
}

// Flush does nothing: every write goes to the reader at once.
func (a *inProcessWriter) Flush() {}
