package httpserver

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// DefaultBodyTimeout is how long a body may take to come, unless its reader sets another time.
const DefaultBodyTimeout = 30 * time.Second

// BodyTimeout bounds the time of every body. A client that announces one and sends none would
// hold a connection for ever, even where the call was refused: the server reads what is
// left of a body before it answers.
func BodyTimeout(timeout time.Duration) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Body != nil && r.Body != http.NoBody {
				control := http.NewResponseController(w)
				_ = control.SetReadDeadline(time.Now().Add(timeout))
				r.Body = &deadlineBody{r.Body, control}
			}
			next.ServeHTTP(w, r)
		})
	}
}

// deadlineBody is a body behind whose end no time is bounded: the answer may take its own.
type deadlineBody struct {
	io.ReadCloser
	control *http.ResponseController
}

func (t *deadlineBody) Read(p []byte) (int, error) {
	n, err := t.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) {
		_ = t.control.SetReadDeadline(time.Time{})
	}
	return n, err
}
