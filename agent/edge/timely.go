package edge

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// BodyTime is how long a body may take to come, where who reads it gives it no other.
const BodyTime = 30 * time.Second

// Timely bounds the time of every body. Who announces one and sends none would hold a
// connection for ever, even where the call was refused: the server reads what is left of
// a body before it answers.
func Timely(patience time.Duration, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body != nil && r.Body != http.NoBody {
			control := http.NewResponseController(w)
			_ = control.SetReadDeadline(time.Now().Add(patience))
			r.Body = &timely{r.Body, control}
		}
		next.ServeHTTP(w, r)
	})
}

// timely is a body behind whose end no time is bounded: the answer may take its own.
type timely struct {
	io.ReadCloser
	control *http.ResponseController
}

func (t *timely) Read(p []byte) (int, error) {
	n, err := t.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) {
		_ = t.control.SetReadDeadline(time.Time{})
	}
	return n, err
}
