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
	// pieceSize is how much of an archive is compressed at once, in bytes.
	pieceSize = 2 << 20
	// windowSize is how far back repeats are found, in bytes. It bounds what a
	// reader needs.
	windowSize = 1 << 20
)

// Effort is how hard a backup works.
type Effort struct {
	Processors int // that compress; at least one does
	// Rest, where set, is called after each piece of the archive with how long that
	// took. What it waits is left to others.
	Rest func(took time.Duration)
}

func (e Effort) processors() int { return max(e.Processors, 1) }

// packer compresses what is written to it. Each piece is a zstd frame of its own, so
// that all processors can work; frames one behind the other are one stream to every
// reader (RFC 8878, section 3). Documents of one batch lie side by side, so that
// what they share is mostly found within a piece.
type packer struct {
	rest    func(time.Duration)
	encoder *zstd.Encoder
	now     *piece      // being filled; nil when writing has failed
	free    chan *piece // to be filled
	turn    chan *piece // to be written, in order
	working sync.WaitGroup
	quit    atomic.Bool   // nothing more is to be written
	broken  chan struct{} // closed when writing has failed
	failed  error         // why
}

type piece struct {
	plain, packed []byte
	done          chan struct{} // told when it is packed
}

// newPacker begins a stream to w; close or abort ends it.
func newPacker(w io.Writer, of Effort) (*packer, error) {
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
	p := &packer{rest: of.Rest, encoder: encoder, free: make(chan *piece, pieces), turn: make(chan *piece, pieces), broken: make(chan struct{})}
	for range pieces {
		p.free <- &piece{done: make(chan struct{}, 1)}
	}
	p.now = <-p.free
	p.working.Go(func() { p.drain(w) })
	return p, nil
}

// drain writes the pieces, each when its turn has come.
func (p *packer) drain(w io.Writer) {
	for begun := time.Now(); ; begun = time.Now() {
		next, more := <-p.turn
		if !more {
			return
		}
		<-next.done
		if p.quit.Load() {
			continue
		}
		if _, p.failed = w.Write(next.packed); p.failed != nil {
			close(p.broken)
			return
		}
		next.plain, next.packed = next.plain[:0], next.packed[:0]
		p.free <- next
		if p.rest != nil {
			p.rest(time.Since(begun))
		}
	}
}

func (p *packer) Write(body []byte) (int, error) {
	if p.now == nil {
		return 0, p.failed
	}
	for rest := body; len(rest) > 0; {
		if p.now.plain == nil {
			p.now.plain = make([]byte, 0, pieceSize)
		}
		n := min(len(rest), pieceSize-len(p.now.plain))
		p.now.plain = append(p.now.plain, rest[:n]...)
		rest = rest[n:]
		if len(p.now.plain) < pieceSize {
			break
		}
		p.pack()
		select {
		case p.now = <-p.free:
		case <-p.broken:
			p.now = nil
			return len(body) - len(rest), p.failed
		}
	}
	return len(body), nil
}

// pack sends the piece that was filled on its way.
func (p *packer) pack() {
	filled := p.now
	p.turn <- filled
	p.working.Go(func() {
		filled.packed = p.encoder.EncodeAll(filled.plain, filled.packed)
		filled.done <- struct{}{}
	})
}

// close writes what is left and ends the stream.
func (p *packer) close() error {
	if p.now != nil && len(p.now.plain) > 0 {
		p.pack()
	}
	return p.end()
}

// abort ends the stream where it is.
func (p *packer) abort() {
	p.quit.Store(true)
	_ = p.end()
}

func (p *packer) end() error {
	close(p.turn)
	p.working.Wait()
	return p.failed
}
