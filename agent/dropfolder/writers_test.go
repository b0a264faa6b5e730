package dropfolder

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// act is something that a writer does at a moment after the test's start.
type act struct {
	at time.Duration
	do func()
}

// script is what one writer does with one file; it keeps its own time.
type script struct {
	b    *bench
	rng  *rand.Rand
	at   time.Duration
	acts []act
}

// then goes on after a pause of up to four seconds.
func (s *script) then(do func()) {
	s.at += time.Duration(s.rng.Int64N(int64(4 * time.Second)))
	s.acts = append(s.acts, act{s.at, do})
}

// chunks writes a content in pieces; the file bears the writer's time.
func (s *script) chunks(name, content string) {
	for n := 2 + s.rng.IntN(4); len(content) > 0; n-- {
		size := len(content)
		if n > 1 {
			size = s.rng.IntN(len(content) + 1)
		}
		piece := content[:size]
		content = content[size:]
		s.then(func() {
			f, err := os.OpenFile(filepath.Join(s.b.dir, name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
			must(s.b.t, err)
			_, err = f.WriteString(piece)
			must(s.b.t, err)
			must(s.b.t, f.Close())
			must(s.b.t, os.Chtimes(f.Name(), time.Time{}, s.b.Now()))
		})
	}
}

// write brings a file into place in one of four ways.
func (s *script) write(name, content string) {
	whole := func(name, content string) {
		s.b.put(name, content)
		must(s.b.t, os.Chtimes(filepath.Join(s.b.dir, name), time.Time{}, s.b.Now()))
	}
	rename := func(from, to string) {
		must(s.b.t, os.Rename(filepath.Join(s.b.dir, from), filepath.Join(s.b.dir, to)))
	}
	half := content[:len(content)/2]
	switch s.rng.IntN(4) {
	case 0: // with pauses
		s.chunks(name, content)
	case 1: // half of it, then removed and written anew
		s.then(func() { whole(name, half) })
		s.then(func() { must(s.b.t, os.Remove(filepath.Join(s.b.dir, name))) })
		s.chunks(name, content)
	case 2: // under another name, then renamed into place
		s.chunks(name+".part", content)
		s.then(func() { rename(name+".part", name) })
	case 3: // something of the same length, then another file over it
		s.then(func() { whole(name, strings.Repeat("x", len(content))) })
		s.then(func() {
			whole(name+".tmp", content)
			rename(name+".tmp", name)
		})
	}
}

// Writers pause up to 4 s inside a write, replace their file, or rename it into
// place; the settling time is 5 s. Time is the test's own.
func TestNoTruncatedFileIsAccepted(t *testing.T) {
	writers := 100
	if os.Getenv("VECCTL_LONG") != "" {
		writers = 1000
	}
	b := newBench(t)
	rng := rand.New(rand.NewPCG(4, 2026))
	var acts []act
	for n := range writers {
		folder := fmt.Sprintf("drop/%04d", n)
		must(t, os.Mkdir(filepath.Join(b.dir, folder), 0o700))
		files := map[string]string{
			"m.csv": rows(fmt.Sprintf("Ann%d", n), "a.pdf", fmt.Sprintf("Bob%d", n), "b.pdf"),
			"a.pdf": fmt.Sprintf("a of %d %s END", n, strings.Repeat("content ", 50)),
			"b.pdf": fmt.Sprintf("b of %d %s END", n, strings.Repeat("content ", 50)),
		}
		for name, content := range files {
			s := &script{b: b, rng: rng, at: time.Duration(rng.Int64N(int64(20 * time.Second)))}
			s.write(folder+"/"+name, content)
			acts = append(acts, s.acts...)
		}
	}
	slices.SortStableFunc(acts, func(x, y act) int { return cmp.Compare(x.at, y.at) })
	b.play(acts, rng)
	b.work()
	if len(b.issuer.issued) != 2*writers {
		t.Errorf("%d documents were issued, want %d", len(b.issuer.issued), 2*writers)
	}
	for _, content := range b.issuer.issued {
		if !strings.HasSuffix(content, " END") || !strings.Contains(content, " of ") {
			t.Errorf("issued %q", content)
		}
	}
	b.lies("failed")
	b.lies("incoming")
	b.lies("drop")
}

// play lets things happen and looks when an event says so, unless it is lost, or
// when a look is due.
func (b *bench) play(acts []act, rng *rand.Rand) {
	start := b.Now()
	due := start
	until := func(t time.Time) {
		for !due.After(t) {
			b.mu.Lock()
			b.now = due
			b.mu.Unlock()
			due = b.scan(b.t.Context())
			b.work()
		}
		b.mu.Lock()
		b.now = t
		b.mu.Unlock()
	}
	for _, a := range acts {
		until(start.Add(a.at))
		a.do()
		if hint := b.Now().Add(debounce); rng.IntN(5) > 0 && hint.Before(due) {
			due = hint
		}
	}
	until(b.Now().Add(2 * rescanInterval))
}
