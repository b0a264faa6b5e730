package backup

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/blob"
)

// One reader that gets far ahead of the other, as on a machine that is busy with
// other things, does not keep what the other needs.
func TestOneReaderIsAheadOfTheOther(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // the reader that begins goes on until it must wait
	b, err := NewWriter(io.Discard, Header{}, nil, Throttle{Processors: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Abort()
	names := make([]string, 10*readAhead)
	for i := range names {
		names[i] = fmt.Sprintf("%064x", i)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := b.Blobs(ctx, names, func(context.Context, string) (blob.File, error) { return nil, fs.ErrNotExist }); err != nil {
		t.Fatal(err)
	}
	if len(b.found.Damaged) != len(names) {
		t.Errorf("%d documents were looked for, want %d", len(b.found.Damaged), len(names))
	}
}
