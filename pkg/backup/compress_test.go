package backup

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
)

// What goes in comes out in its order, whatever the sizes of the writes, to one who
// knows nothing of pieces.
func TestPackerKeepsOrder(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for name, size := range map[string]int{
		"nothing": 0, "one byte": 1, "a piece": chunkSize, "a piece and a byte": chunkSize + 1, "many": 9*chunkSize + 4711,
	} {
		var packed bytes.Buffer
		p, err := newCompressor(&packed, Throttle{Processors: 2})
		if err != nil {
			t.Fatal(err)
		}
		plain := make([]byte, size)
		for i := range plain {
			plain[i] = byte(random.Uint32() >> (i >> 16 % 8)) // more and less of it repeats
		}
		for rest := plain; len(rest) > 0; {
			n := min(len(rest), 1+random.IntN(3*chunkSize))
			if wrote, err := p.Write(rest[:n]); wrote != n || err != nil {
				t.Fatalf("%s: wrote %d of %d: %v", name, wrote, n, err)
			}
			rest = rest[n:]
		}
		if err := p.close(); err != nil {
			t.Fatal(err)
		}
		r, err := zstd.NewReader(&packed)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		r.Close()
		if err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%s: %d bytes went in and %d came out: %v", name, size, len(got), err)
		}
	}
}

// stuck is a writer that takes so many bytes and then fails.
type stuck struct{ left int }

var errStuck = errors.New("the disk is full")

func (s *stuck) Write(p []byte) (int, error) {
	if s.left -= len(p); s.left < 0 {
		return 0, errStuck
	}
	return len(p), nil
}

// A full disk is an error of the next write, and of the end.
func TestPackerTellsOfAFailedWrite(t *testing.T) {
	t.Parallel()
	for name, room := range map[string]int{"at once": 0, "later": 3 * chunkSize} {
		p, err := newCompressor(&stuck{left: room}, Throttle{})
		if err != nil {
			t.Fatal(err)
		}
		random := rand.NewChaCha8([32]byte{})
		body := make([]byte, chunkSize)
		for range 50 {
			_, _ = random.Read(body)
			if _, err = p.Write(body); err != nil {
				break
			}
		}
		if !errors.Is(err, errStuck) {
			t.Errorf("%s: 50 pieces were written: %v", name, err)
		}
		if err := p.close(); !errors.Is(err, errStuck) {
			t.Errorf("%s: it ended well: %v", name, err)
		}
	}
	p, err := newCompressor(&stuck{}, Throttle{Processors: 2})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Write([]byte("little")); err != nil {
		t.Fatal(err)
	}
	if err := p.close(); !errors.Is(err, errStuck) {
		t.Errorf("the last piece: %v", err)
	}
}

// A backup that is given up writes nothing more and leaves nobody behind.
func TestPackerAborts(t *testing.T) {
	t.Parallel()
	var packed bytes.Buffer
	p, err := newCompressor(&packed, Throttle{Processors: 2})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Write([]byte("given up")); err != nil {
		t.Fatal(err)
	}
	p.abort()
	if packed.Len() > 0 {
		t.Errorf("%d bytes were written", packed.Len())
	}
}

// After each piece there is time for others.
func TestPackerRests(t *testing.T) {
	t.Parallel()
	rests := 0
	p, err := newCompressor(io.Discard, Throttle{Rest: func(time.Duration) { rests++ }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Write(make([]byte, 4*chunkSize+1)); err != nil {
		t.Fatal(err)
	}
	if err := p.close(); err != nil || rests != 5 {
		t.Errorf("rested %d times after 5 pieces: %v", rests, err)
	}
}
