package backup

import (
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/zstd"
)

const (
	// chunkSize is how much of an archive is compressed at once, in bytes.
	chunkSize = 2 << 20
	// windowSize is how far back repeats are found, in bytes. It bounds what a
	// reader needs.
	windowSize = 1 << 20
)

// Throttle is how hard a backup works.
type Throttle struct {
	Processors int // that compress; at least one does
	// Rest, where set, is called after each piece of the archive with how long that
	// took. What it waits is left to others.
	Rest func(took time.Duration)
}

func (e Throttle) processors() int { return max(e.Processors, 1) }

// compressor compresses what is written to it. Each piece is a zstd frame of its own, so
// that all processors can work; frames one behind the other are one stream to every
// reader (RFC 8878, section 3). Documents of one batch lie side by side, so that
// what they share is mostly found within a piece.
type compressor struct {
	rest    func(time.Duration)
	encoder *zstd.Encoder
	current *chunk      // being filled; nil when writing has failed
	free    chan *chunk // to be filled
	pending chan *chunk // to be written, in order
	working sync.WaitGroup
	quit    atomic.Bool   // nothing more is to be written
	failing chan struct{} // closed when writing has failed
	failed  error         // why
}

type chunk struct {
	raw, compressed []byte
	done            chan struct{} // told when it is packed
}

// newCompressor begins a stream to w; close or abort ends it.
func newCompressor(w io.Writer, of Throttle) (*compressor, error) {
	processors := of.processors()
	// PDFs are compressed inside: only what they have in common is worth looking for,
	// and the database, too, is mostly the same words again and again.
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithNoEntropyCompression(true),
		zstd.WithWindowSize(windowSize), zstd.WithEncoderConcurrency(processors))
	if err != nil {
		return nil, fmt.Errorf("beginning a backup: %w", err)
	}
	// One is filled and one is written while the others are compressed.
	pieces := processors + 2
	p := &compressor{rest: of.Rest, encoder: encoder, free: make(chan *chunk, pieces), pending: make(chan *chunk, pieces), failing: make(chan struct{})}
	for range pieces {
		p.free <- &chunk{done: make(chan struct{}, 1)}
	}
	p.current = <-p.free
	p.working.Go(func() { p.drain(w) })
	return p, nil
}

// drain writes the pieces, each when its turn has come.
func (p *compressor) drain(w io.Writer) {
	for begun := time.Now(); ; begun = time.Now() {
		next, more := <-p.pending
		if !more {
			return
		}
		<-next.done
		if p.quit.Load() {
			continue
		}
		if _, p.failed = w.Write(next.compressed); p.failed != nil {
			close(p.failing)
			return
		}
		next.raw, next.compressed = next.raw[:0], next.compressed[:0]
		p.free <- next
		if p.rest != nil {
			p.rest(time.Since(begun))
		}
	}
}

func (p *compressor) Write(body []byte) (int, error) {
	if p.current == nil {
		return 0, p.failed
	}
	for rest := body; len(rest) > 0; {
		if p.current.raw == nil {
			p.current.raw = make([]byte, 0, chunkSize)
		}
		n := min(len(rest), chunkSize-len(p.current.raw))
		p.current.raw = append(p.current.raw, rest[:n]...)
		rest = rest[n:]
		if len(p.current.raw) < chunkSize {
			break
		}
		p.submit()
		select {
		case p.current = <-p.free:
		case <-p.failing:
			p.current = nil
			return len(body) - len(rest), p.failed
		}
	}
	return len(body), nil
}

// submit sends the piece that was filled on its way.
func (p *compressor) submit() {
	filled := p.current
	p.pending <- filled
	p.working.Go(func() {
		filled.compressed = p.encoder.EncodeAll(filled.raw, filled.compressed)
		filled.done <- struct{}{}
	})
}

// close writes what is left and ends the stream.
func (p *compressor) close() error {
	if p.current != nil && len(p.current.raw) > 0 {
		p.submit()
	}
	return p.end()
}

// abort ends the stream where it is.
func (p *compressor) abort() {
	p.quit.Store(true)
	_ = p.end()
}

func (p *compressor) end() error {
	close(p.pending)
	p.working.Wait()
	return p.failed
}
