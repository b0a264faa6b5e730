// Package backup takes a home's backup while its agent works, and restores one.
//
// The order is what makes it consistent. What the drop folder brings goes from
// drop/ to incoming/ to the store, so it is copied in this order and found at least
// once; taking it in twice changes nothing. The store comes as it was at one moment.
// Keys come after it, since a record may need a key but no key a record. Documents
// come last: whatever the store names was there before, and nothing is swept
// meanwhile.
package backup

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"
	"time"

	"github.com/vecctl/vecctl/pkg/backup"
	"github.com/vecctl/vecctl/pkg/blob"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/wake"
)

// Home is what a backup is taken of. Its paths are relative to Root.
type Home struct {
	Root     string
	Store    store.Store
	Blobs    blob.Store
	Database string   // the store's file
	Incoming []string // folders whose files go into the store, in the order of their way
	Omitted  []string // files and folders that are made anew
	// Outcomes is the folder of verified PDFs, which are made anew too; the reports
	// between them are not.
	Outcomes string
	// CallersWaited reports whether others have waited since it was last asked; nil where there
	// are none.
	CallersWaited func() bool
}

// blobsFolder is where pkg/backup puts documents.
const blobsFolder = "blobs"

// Write writes a backup to w. Have are the documents of the backup that h.Since
// names.
func (o Home) Write(ctx context.Context, h backup.Header, have []string, w io.Writer) (backup.Contents, error) {
	release, err := o.Blobs.Hold(ctx)
	if err != nil {
		return backup.Contents{}, err
	}
	defer release()
	b, err := backup.NewWriter(w, h, have, o.throttle(ctx))
	if err != nil {
		return backup.Contents{}, err
	}
	defer b.Abort()
	for _, folder := range o.Incoming {
		if err := (walk{Home: o, ctx: ctx, to: b}).tree(folder, folder); err != nil {
			return backup.Contents{}, err
		}
	}
	var named []string
	err = o.Store.Snapshot(ctx, func(s store.Snapshot) error {
		named = s.Blobs
		return b.Stream(o.Database, s.Size, h.MadeAt, s)
	})
	if err != nil {
		return backup.Contents{}, fmt.Errorf("copying the database: %w", err)
	}
	skip := slices.Concat(o.Incoming, o.Omitted, []string{o.Database, blobsFolder})
	if err := (walk{Home: o, ctx: ctx, to: b, skip: skip, links: 2}).tree(".", "."); err != nil {
		return backup.Contents{}, err
	}
	if err := o.documents(ctx, b, named, have); err != nil {
		return backup.Contents{}, err
	}
	return b.Close()
}

// throttle is all that the machine has, or where others call, what leaves them a
// processor always, and the disk for as long as it was kept from them.
func (o Home) throttle(ctx context.Context) backup.Throttle {
	all := runtime.GOMAXPROCS(0)
	if o.CallersWaited == nil {
		return backup.Throttle{Processors: all}
	}
	return backup.Throttle{Processors: all - 1, Rest: func(took time.Duration) {
		if o.CallersWaited() {
			_ = wake.Sleep(ctx, min(took, time.Second)) // what ends it ends the backup too
		}
	}}
}

// documents adds what lies in the blob store and is not in the backup before.
// What the database names and is not there is found missing by b.
func (o Home) documents(ctx context.Context, b *backup.Writer, named, have []string) error {
	here, err := o.Blobs.List(ctx)
	if err != nil {
		return err
	}
	here = append(here, named...)
	slices.Sort(here)
	here = slices.Compact(here)
	old := make(map[string]bool, len(have))
	for _, sum := range have {
		old[sum] = true
	}
	here = slices.DeleteFunc(here, func(sum string) bool { return old[sum] })
	return b.Blobs(ctx, here, o.Blobs.Open)
}
