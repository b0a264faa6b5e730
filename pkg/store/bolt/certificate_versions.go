package bolt

import (
	"hash/maphash"
	"strings"
	"sync/atomic"
)

// versions count the commits that changed certificates. Certificates share a fixed number
// of counters; those that share one change their version together.
type versions struct {
	seed   maphash.Seed
	counts [4096]atomic.Uint64
}

func (v *versions) of(reference string) *atomic.Uint64 {
	return &v.counts[maphash.String(v.seed, reference)%uint64(len(v.counts))]
}

// Version implements store.Certificates.
func (s *Store) Version(reference string) uint64 {
	return s.versions.of(strings.ToUpper(reference)).Load()
}
