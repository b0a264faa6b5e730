package institutions

import (
	"io"
	"sync"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/transparency"
)

// logKeys are the keys of the logs that were needed so far.
type logKeys struct {
	sync.Mutex
	byInstitution map[uint32]*transparency.Key
}

// LogKey is the key of an institution's log of issued certificates. The first call draws it.
func (s *Registry) LogKey(institution uint32) (*transparency.Key, error) {
	s.logKeys.Lock()
	defer s.logKeys.Unlock()
	if k := s.logKeys.byInstitution[institution]; k != nil {
		return k, nil
	}
	return s.takeLogKey(institution, s.KeyStore.LogKey)
}

// takeLogKey takes an institution's key from the home, or a new one. The keys are locked.
func (s *Registry) takeLogKey(institution uint32, from func(io.Reader, uint32, string) (*transparency.Key, error)) (*transparency.Key, error) {
	one, ok := s.ByID(institution)
	if !ok {
		return nil, fault.New(fault.NotFound, "there is no such institution")
	}
	k, err := from(s.Random, institution, one.Name)
	if err != nil {
		return nil, err
	}
	if s.logKeys.byInstitution == nil {
		s.logKeys.byInstitution = map[uint32]*transparency.Key{}
	}
	s.logKeys.byInstitution[institution] = k
	return k, nil
}

// LogKeysMoved reports whether the folder of log keys is another one than that in which the logs
// grew: the home was copied or moved.
func (s *Registry) LogKeysMoved() (bool, error) { return s.KeyStore.LogKeysMoved() }

// KeepLogKeysHere records that the logs grow here from now on.
func (s *Registry) KeepLogKeysHere() error { return s.KeyStore.KeepLogKeysHere() }

// NewLogKey draws another key for an institution: its certificates enter a new log from now on.
func (s *Registry) NewLogKey(institution uint32) (*transparency.Key, error) {
	s.logKeys.Lock()
	defer s.logKeys.Unlock()
	return s.takeLogKey(institution, s.KeyStore.NewLogKey)
}
