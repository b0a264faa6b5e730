package pdf

import (
	"crypto/sha256"
	"github.com/vecctl/vecctl/pkg/pdf/cms"
	"io"
	"slices"
	"testing"
	"time"
)

// counter counts what is read.
type counter struct {
	io.ReaderAt
	bytes, reads int
}

func (c *counter) ReadAt(b []byte, off int64) (int, error) {
	c.bytes, c.reads = c.bytes+len(b), c.reads+1
	return c.ReaderAt.ReadAt(b, off)
}

// TestCost holds how little a document costs, whatever its size.
func TestCost(t *testing.T) {
	seal, m := NewStamper(testSigner()), testMark()
	var took [2]time.Duration
	for i, size := range []int{50 << 10, 20 << 20} {
		src := kept(t, sized(size))
		read := &counter{ReaderAt: src.R}
		src.R = read
		tail, err := seal.Stamp(src, m)
		if err != nil {
			t.Fatal(err)
		}
		if read.bytes > 16<<10 || read.reads > 60 {
			t.Errorf("of %d bytes, %d are read in %d pieces", size, read.bytes, read.reads)
		}
		if room := 2 * cms.ProofRoom; len(tail.Bytes) > 4000+room {
			t.Errorf("the tail takes %d bytes beside the %d that are kept free", len(tail.Bytes)-room, room)
		}
		if allocations := testing.AllocsPerRun(20, func() { seal.Stamp(src, m) }); allocations > 200 {
			t.Errorf("%d bytes: %v allocations", size, allocations)
		}
		// The best of several, since other programs take their time as well.
		for range 30 {
			start := time.Now()
			if _, err := seal.Stamp(src, m); err != nil {
				t.Fatal(err)
			}
			if d := time.Since(start); took[i] == 0 || d < took[i] {
				took[i] = d
			}
		}
	}
	if took[1] > 3*took[0] {
		t.Errorf("20 MB take %v, and 50 KB %v", took[1], took[0])
	}
}

// TestKeptHash shows that the kept state of a hash gives the same document.
func TestKeptHash(t *testing.T) {
	original := plainObjects().table("")
	src := kept(t, original)
	tail, err := NewStamper(testSigner()).Stamp(src, testMark())
	if err != nil {
		t.Fatal(err)
	}
	whole := slices.Concat(original, tail.Bytes)
	if v := mustVerify(t, whole); !v.Valid {
		t.Error(v.Sentence)
	}
	if tail.SHA256 != sha256.Sum256(whole) {
		t.Error("Tail.SHA256 is not that of the original and the tail")
	}
	src.HashState = []byte("nonsense")
	if _, err := NewStamper(testSigner()).Stamp(src, testMark()); err == nil {
		t.Error("a broken state is taken")
	}
}
