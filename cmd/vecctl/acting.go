package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/fsutil"
)

// institutionTransport says in every call which institution it is for, and notes which one
// the agent found.
type institutionTransport struct {
	name string // "" where none was named
	next http.RoundTripper

	mu          sync.Mutex
	slug, title string // of the institution that the last answer named
}

// RoundTrip implements http.RoundTripper.
func (t *institutionTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	next := t.next
	if t.name != "" {
		next = adminclient.ForInstitution{Name: t.name, Next: t.next}
	}
	resp, err := next.RoundTrip(r)
	if err != nil {
		return resp, err
	}
	if slug := resp.Header.Get(adminclient.InstitutionHeader); slug != "" {
		title, _ := url.QueryUnescape(resp.Header.Get(adminclient.InstitutionNameHeader))
		t.mu.Lock()
		t.slug, t.title = slug, title
		t.mu.Unlock()
	}
	return resp, nil
}

// printInstitution prints which institution a command worked for, where the home has
// several.
func (s *session) printInstitution(w environment) {
	if s.acting == nil {
		return
	}
	s.acting.mu.Lock()
	defer s.acting.mu.Unlock()
	switch {
	case s.acting.slug == "":
	case s.acting.name == "":
		printLinef(w, "Institution: %s (%s), the primary one of this home; name another with --institution", s.acting.title, s.acting.slug)
	default:
		printLinef(w, "Institution: %s (%s)", s.acting.title, s.acting.slug)
	}
}

// bindInstitution keeps a screen to the institution that it was opened for, whatever
// becomes the primary one meanwhile. One that may change something has to be told which.
func (s *session) bindInstitution(ctx context.Context, mayChange bool) error {
	if s.acting == nil || s.acting.name != "" {
		return nil
	}
	status, err := s.AgentStatus(ctx)
	if err != nil || status.Institutions < 2 {
		return err
	}
	if mayChange {
		all, err := s.Institutions(ctx)
		if err != nil {
			return err
		}
		var slugs []string
		for _, one := range all {
			slugs = append(slugs, one.Slug)
		}
		return usageError("this home has several institutions: %s; name the one that the screen is for with --institution or VECCTL_INSTITUTION, or only watch the primary one with --read-only", strings.Join(slugs, ", "))
	}
	s.acting.name = status.Slug
	return nil
}

// institutionFor finds the institution that a command is for: the one that its flag or the
// environment names, else the user's own default for the home.
func institutionFor(c *cli.Context, w environment, dir home.Dir) (*institutionTransport, error) {
	name := w.getenv("VECCTL_INSTITUTION")
	if c.Command.Name != "init" && c.String("institution") != "" {
		name = c.String("institution")
	}
	if name == "" {
		own, err := loadDefaultInstitutions(w)
		if err != nil {
			return nil, err
		}
		name = own.Homes[string(dir)]
	}
	return &institutionTransport{name: name}, nil
}

// defaultInstitutions are a user's own defaults: for each home, by its directory, the slug
// of an institution. They are kept with the user's settings, not in the home.
type defaultInstitutions struct {
	Homes map[string]string `json:"homes"`
}

// defaultInstitutionsFile is where a user's defaults are kept.
func defaultInstitutionsFile(w environment) (string, error) {
	base := w.getenv("XDG_CONFIG_HOME")
	if own := w.getenv("HOME"); !filepath.IsAbs(base) && filepath.IsAbs(own) && runtime.GOOS == "linux" {
		base = filepath.Join(own, ".config")
	}
	if !filepath.IsAbs(base) {
		var err error
		if base, err = os.UserConfigDir(); err != nil {
			return "", fault.Wrap(fault.Invalid, err, "there is no folder for your settings; name the institution with --institution or VECCTL_INSTITUTION")
		}
	}
	return filepath.Join(base, "vecctl", "institutions.json"), nil
}

func loadDefaultInstitutions(w environment) (defaultInstitutions, error) {
	own := defaultInstitutions{Homes: map[string]string{}}
	file, err := defaultInstitutionsFile(w)
	if err != nil {
		return own, nil //nolint:nilerr // who has no folder of settings has no default
	}
	body, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return own, nil
	}
	if err == nil {
		err = json.Unmarshal(body, &own)
	}
	if err != nil {
		return own, fault.Wrap(fault.Invalid, err, fmt.Sprintf("%s, which has your default institutions, cannot be read; correct or remove it", file))
	}
	if own.Homes == nil {
		own.Homes = map[string]string{}
	}
	return own, nil
}

// save keeps the defaults.
func (d defaultInstitutions) save(w environment) error {
	file, err := defaultInstitutionsFile(w)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return fsutil.DiskError(err, "making the folder of your settings")
	}
	body, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return fmt.Errorf("keeping the default institution: %w", err)
	}
	return fsutil.ReplaceFile(file, append(body, '\n'))
}

// useInstitution makes an institution the user's own default for the home.
func useInstitution(c *cli.Context, w environment, s *session, name string) (adminclient.Institution, error) {
	dir, err := homeDir(c, w)
	if err != nil {
		return adminclient.Institution{}, err
	}
	own, err := loadDefaultInstitutions(w)
	if err != nil {
		return adminclient.Institution{}, err
	}
	one, err := findInstitution(c.Context, s, name)
	if err != nil {
		return one, err
	}
	own.Homes[string(dir)] = one.Slug
	s.acting.name, one.Current = one.Slug, true
	return one, own.save(w)
}
