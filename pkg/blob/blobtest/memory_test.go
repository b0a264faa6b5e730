package blobtest_test

import (
	"sync"
	"testing"

	"github.com/vecctl/vecctl/pkg/blob"
	"github.com/vecctl/vecctl/pkg/blob/blobtest"
)

func TestMemory(t *testing.T) {
	var mu sync.Mutex
	byFolder := map[string]*blobtest.Memory{}
	blobtest.Run(t, func(dir string) (blob.Store, error) {
		mu.Lock()
		defer mu.Unlock()
		if byFolder[dir] == nil {
			byFolder[dir] = blobtest.NewMemory()
		}
		return byFolder[dir], nil
	})
}
