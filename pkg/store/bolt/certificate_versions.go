package bolt

import (
	"hash/maphash"
	"strings"
	"sync/atomic"
)

// versions count the commits that changed certificates, in as many places as
// there are counters; certificates that share one are taken for changed together.
type versions struct {
	seed   maphash.Seed
	counts [4096]atomic.Uint64
}

func (v *versions) of(reference string) *atomic.Uint64 {
	return &v.counts[maphash.String(v.seed, reference)%uint64(len(v.counts))]
}

// Version is a number that is another one after each change of the certificate
// with a reference ID, before whoever changed it is told so. What was read after
// asking for it holds as long as it is the same.
func (s *Store) Version(reference string) uint64 {
	return s.versions.of(strings.ToUpper(reference)).Load()
}
