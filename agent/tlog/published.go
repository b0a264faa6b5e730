package tlog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/vecctl/vecctl/agent/institutions"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/transparency"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Comparison compares the institutions' logs with what is known of them elsewhere: with what is
// published, and with where the home was when its logs last grew.
type Comparison struct {
	Store        store.Store
	Institutions *institutions.Registry
	Publication  transparency.Publication // nil: none
	Location     string                   // of the publication, for messages
	Forks        *Forks
}

// compareTimeout bounds one comparison.
const compareTimeout = 5 * time.Second

// Compare compares all logs that grow. The error is that something could not be compared, or what
// was found.
func (c *Comparison) Compare(ctx context.Context) error {
	ctx, stop := context.WithTimeout(ctx, compareTimeout)
	defer stop()
	moved, err := c.Institutions.LogKeysMoved()
	if err != nil {
		return err
	}
	var failed []error
	for _, id := range c.Institutions.IDs() {
		heads, err := c.Store.LogHeads(ctx, id)
		if err != nil {
			return err
		}
		if len(heads) == 0 {
			continue
		}
		head := heads[len(heads)-1]
		if moved {
			failed = append(failed, c.Forks.note(head.Key, "this home was copied or moved: its log may go on where it was before"))
			continue
		}
		failed = append(failed, c.comparePublished(ctx, head.Key, id))
	}
	return errors.Join(failed...)
}

// comparePublished compares one log with the publication.
func (c *Comparison) comparePublished(ctx context.Context, key string, institution uint32) error {
	if c.Publication == nil {
		return nil
	}
	published, err := transparency.OpenPublishedLog(ctx, c.Publication, key)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	// Read after what is published, which is never ahead of it.
	head, err := c.headOf(ctx, institution, key)
	if err != nil {
		return err
	}
	was := published.Checkpoint
	if was.Size > head.Size {
		return c.Forks.note(key, fmt.Sprintf("the log %s is published at %s with %d entries, and here it has %d: this home is older than what was published", was.Origin, c.Location, was.Size, head.Size))
	}
	if was.Size == 0 {
		return nil
	}
	root, err := tlog.TreeHash(was.Size, hashesOf(ctx, c.Store, key))
	if err != nil {
		return fmt.Errorf("hash the log: %w", err)
	}
	if root != was.Root {
		return c.Forks.note(key, fmt.Sprintf("another history of the log %s is published at %s: its first %d entries are not those of this home", was.Origin, c.Location, was.Size))
	}
	return nil
}

func (c *Comparison) headOf(ctx context.Context, institution uint32, key string) (vault.LogHead, error) {
	heads, err := c.Store.LogHeads(ctx, institution)
	for _, h := range heads {
		if h.Key == key {
			return h, nil
		}
	}
	return vault.LogHead{Key: key}, err
}
