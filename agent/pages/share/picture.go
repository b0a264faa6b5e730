package share

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/vecctl/vecctl/pkg/vault"
)

// pictures draws certificates one at a time and keeps the last few: drawing takes
// a second of a processor, and a page's picture is asked for again and again.
type pictures struct {
	draw func(context.Context, vault.Certificate) ([]byte, error)
	turn chan struct{}

	mu    sync.Mutex
	kept  map[string][]byte // by the verified PDF's sum
	order []string
	size  int
}

const (
	mostKept = 32 << 20         // bytes of pictures that are kept
	drawTime = 20 * time.Second // for one picture, with the wait for its turn
)

func newPictures(draw func(context.Context, vault.Certificate) ([]byte, error)) *pictures {
	return &pictures{draw: draw, turn: make(chan struct{}, 1), kept: map[string][]byte{}}
}

// of is the picture of an issued certificate.
func (p *pictures) of(ctx context.Context, c vault.Certificate) ([]byte, error) {
	sum := c.Verified.SHA256
	if drawn := p.find(sum); drawn != nil {
		return drawn, nil
	}
	ctx, cancel := context.WithTimeout(ctx, drawTime)
	defer cancel()
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting for a turn to draw: %w", ctx.Err())
	}
	if drawn := p.find(sum); drawn != nil {
		return drawn, nil
	}
	drawn, err := p.draw(ctx, c)
	if err != nil {
		return nil, err
	}
	p.keep(sum, drawn)
	return drawn, nil
}

func (p *pictures) find(sum string) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.kept[sum]
}

func (p *pictures) keep(sum string, drawn []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.kept[sum] = drawn
	p.order = append(p.order, sum)
	for p.size += len(drawn); p.size > mostKept && len(p.order) > 1; p.order = p.order[1:] {
		p.size -= len(p.kept[p.order[0]])
		delete(p.kept, p.order[0])
	}
}
