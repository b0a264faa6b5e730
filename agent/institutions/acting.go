package institutions

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

type contextKey struct{}

// NewContext returns a context for what is done for an institution.
func NewContext(ctx context.Context, id uint32) context.Context {
	return context.WithValue(ctx, contextKey{}, id)
}

// Acting returns the institution for which something is done: the one of the context,
// else the home's only one. Where there are several and none was named it is the zero
// value, which nothing belongs to.
func (s *Registry) Acting(ctx context.Context) vault.Institution {
	now := s.state.Load()
	id, named := ctx.Value(contextKey{}).(uint32)
	if !named && len(now.tenants) == 1 {
		return now.primary
	}
	return now.tenants[id].institution
}

// ActingNow is Acting for a change: it is an error where no institution was named, or
// the one that was is closed.
func (s *Registry) ActingNow(ctx context.Context) (vault.Institution, error) {
	one := s.Acting(ctx)
	if one.ID == 0 {
		return one, s.UnnamedError()
	}
	return one, one.CheckOpen()
}

// Several reports whether the home has more than one institution, so that one has to be
// named.
func (s *Registry) Several() bool { return len(s.state.Load().tenants) > 1 }

// All returns the institutions in order of their IDs.
func (s *Registry) All() []vault.Institution {
	now := s.state.Load()
	all := make([]vault.Institution, 0, len(now.tenants))
	for _, id := range slices.Sorted(maps.Keys(now.tenants)) {
		all = append(all, now.tenants[id].institution)
	}
	return all
}

// Find finds an institution by its slug, ID or name. The error lists those that there are.
func (s *Registry) Find(name string) (vault.Institution, error) {
	if one, ok := s.state.Load().find(name); ok {
		return one, nil
	}
	return vault.Institution{}, fault.Newf(fault.Invalid, "there is no institution %q; this home has %s", name, s.list())
}

// UnnamedError is the error for a change where no institution was named and there are
// several.
func (s *Registry) UnnamedError() error {
	return fault.Newf(fault.Invalid, "this home has several institutions: %s; name one with --institution or VECCTL_INSTITUTION, or choose your own with: vecctl institution use SLUG", s.list())
}

// list names the institutions for a message.
func (s *Registry) list() string {
	var names []string
	for _, one := range s.All() {
		text := fmt.Sprintf("%s (%s)", one.Slug, one.Name)
		if one.Closed() {
			text = fmt.Sprintf("%s (%s, closed)", one.Slug, one.Name)
		}
		names = append(names, text)
	}
	return strings.Join(names, ", ")
}

// find finds an institution by its slug or ID or, where that is none's, by its name.
func (s state) find(name string) (vault.Institution, bool) {
	id, err := strconv.ParseUint(name, 10, 32)
	if one, ok := s.tenants[uint32(id)]; ok && err == nil {
		return one.institution, true
	}
	for _, one := range s.tenants {
		if strings.EqualFold(one.institution.Slug, strings.TrimSpace(name)) {
			return one.institution, true
		}
	}
	for _, one := range s.tenants {
		if vault.SameName(one.institution.Name, name) {
			return one.institution, true
		}
	}
	return vault.Institution{}, false
}

// freeSlug returns a slug that no institution but the one with an ID has.
func (s state) freeSlug(slug string, id uint32) string {
	return vault.FreeSlug(slug, func(slug string) bool { return s.hasSlug(slug, id) })
}

// nextID is the number that the next institution gets, as far as can be told.
func (s state) nextID() uint32 { return slices.Max(slices.Collect(maps.Keys(s.tenants))) + 1 }

func (s state) hasSlug(slug string, besides uint32) bool {
	for _, one := range s.tenants {
		if one.institution.ID != besides && one.institution.Slug == slug {
			return true
		}
	}
	return false
}

// checkNameFree refuses a name that an institution other than id has. Names that differ
// in spaces or case only are the same.
func (s state) checkNameFree(name string, id uint32) error {
	for _, one := range s.tenants {
		if one.institution.ID != id && vault.SameName(one.institution.Name, name) {
			return fault.Newf(fault.Conflict, "there is an institution %q already (%s)", one.institution.Name, one.institution.Slug)
		}
	}
	return nil
}
