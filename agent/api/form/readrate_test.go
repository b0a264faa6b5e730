package form

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"
)

// trickle is a body that comes in pieces, each after a pause.
type trickle struct {
	at    int
	sizes []int
	pause time.Duration
}

func (c *trickle) Read(b []byte) (int, error) {
	if c.at == len(c.sizes) {
		return 0, io.EOF
	}
	n := copy(b, bytes.Repeat([]byte("x"), c.sizes[c.at]))
	<-time.After(c.pause)
	c.at++
	return n, nil
}

func (c *trickle) Close() error { return nil }

// deadlines keeps the last read deadline.
type deadlines struct {
	http.ResponseWriter
	last time.Time
}

func (d *deadlines) SetReadDeadline(t time.Time) error { d.last = t; return nil }

// TestSpeedIsNoCredit gives a sender who sent much at once no longer than any other.
func TestSpeedIsNoCredit(t *testing.T) {
	t.Parallel()
	const grace = 320 * time.Millisecond
	w := &deadlines{}
	r := &http.Request{Body: &trickle{sizes: []int{100 << 10, 1, 1, 1}, pause: 40 * time.Millisecond}}
	defer LimitBody(w, r, 1<<20, ReadRate{Grace: grace, BytesPerSecond: 1000})()
	buffer := make([]byte, 256<<10)
	left := func() time.Duration { return time.Until(w.last) }
	for i, most := range []time.Duration{grace, grace, grace - 40*time.Millisecond, grace - 80*time.Millisecond} {
		if _, err := r.Body.Read(buffer); err != nil {
			t.Fatal(err)
		}
		if got := left(); got > most {
			t.Errorf("after read %d the sender has %v, want %v at most", i+1, got, most)
		}
	}
	if _, err := r.Body.Read(buffer); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v", err)
	}
}
