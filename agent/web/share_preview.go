package web

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/vecctl/vecctl/pkg/vault"
)

// previewCache draws certificates one at a time and keeps the last few: drawing takes
// a second of a processor, and a page's picture is asked for again and again.
type previewCache struct {
	source Previewer
	turn   chan struct{}

	mu     sync.Mutex
	images map[string][]byte // by the verified PDF's sum
	order  []string
	size   int
}

const (
	maxPreviewBytes = 32 << 20         // bytes of pictures that are kept
	maxRenderTime   = 20 * time.Second // for one picture, with the wait for its turn
)

func newPreviewCache(source Previewer) *previewCache {
	return &previewCache{source: source, turn: make(chan struct{}, 1), images: map[string][]byte{}}
}

// get is the picture of an issued certificate.
func (p *previewCache) get(ctx context.Context, c vault.Certificate) ([]byte, error) {
	sum := c.Verified.SHA256
	if image := p.lookup(sum); image != nil {
		return image, nil
	}
	ctx, cancel := context.WithTimeout(ctx, maxRenderTime)
	defer cancel()
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting for a turn to draw: %w", ctx.Err())
	}
	if image := p.lookup(sum); image != nil {
		return image, nil
	}
	image, err := p.source.RenderPreview(ctx, c)
	if err != nil {
		return nil, err
	}
	p.add(sum, image)
	return image, nil
}

func (p *previewCache) lookup(sum string) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.images[sum]
}

func (p *previewCache) add(sum string, image []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.images[sum] = image
	p.order = append(p.order, sum)
	for p.size += len(image); p.size > maxPreviewBytes && len(p.order) > 1; p.order = p.order[1:] {
		p.size -= len(p.images[p.order[0]])
		delete(p.images, p.order[0])
	}
}
