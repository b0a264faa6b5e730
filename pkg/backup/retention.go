package backup

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// timeLayout is how times stand in names of backups; such names sort by time.
const timeLayout = "20060102T150405Z"

// namePattern is what Name makes.
var namePattern = regexp.MustCompile(`^vecctl-([0-9a-f]{8})-(\d{8}T\d{6}Z)(?:-since-(\d{8}T\d{6}Z))?\.tar\.zst(?:\.age)?$`)

// Name is the name of a backup's file in a folder of many: home, time, and the
// time of the one that it builds on.
func Name(homeID string, at, since time.Time, sealed bool) string {
	name := fmt.Sprintf("vecctl-%s-%s", homeID, at.UTC().Format(timeLayout))
	if !since.IsZero() {
		name += "-since-" + since.UTC().Format(timeLayout)
	}
	name += ".tar.zst"
	if sealed {
		name += ".age"
	}
	return name
}

// File is a backup's file as its name describes it.
type File struct {
	Name   string
	HomeID string
	At     time.Time
	Since  time.Time // zero for a whole one
}

// ParseName reads a name that Name made.
func ParseName(name string) (File, bool) {
	m := namePattern.FindStringSubmatch(name)
	if m == nil {
		return File{}, false
	}
	k := File{Name: name, HomeID: m[1]}
	var err error
	if k.At, err = time.Parse(timeLayout, m[2]); err != nil {
		return File{}, false
	}
	if m[3] != "" {
		if k.Since, err = time.Parse(timeLayout, m[3]); err != nil {
			return File{}, false
		}
	}
	return k, true
}

// Retention is how many backups are kept: the last one of each of the latest days,
// and of each of the latest weeks, on which there is one.
type Retention struct{ Daily, Weekly int }

// Expired are the names that a home's backups may lose, oldest first. The newest
// stays, the one just made, which is another where a clock was set back, and
// whatever one that stays builds on; without a rule all do. Names of other homes, or
// of something else, are left out.
func (r Retention) Expired(names []string, made, homeID string, zone *time.Location) []string {
	all := newestFirst(names, homeID)
	if r.Daily <= 0 && r.Weekly <= 0 || len(all) == 0 {
		return nil
	}
	stay := map[time.Time]bool{all[0].At: true}
	if k, ok := ParseName(made); ok {
		stay[k.At] = true
	}
	keep := func(n int, period func(time.Time) string) {
		seen := map[string]bool{}
		for _, k := range all {
			p := period(k.At.In(zone))
			if seen[p] || len(seen) == n {
				continue
			}
			seen[p] = true
			stay[k.At] = true
		}
	}
	keep(max(r.Daily, 0), func(t time.Time) string { return t.Format(time.DateOnly) })
	keep(max(r.Weekly, 0), func(t time.Time) string { y, w := t.ISOWeek(); return fmt.Sprintf("%d-%d", y, w) })
	return besides(all, stay)
}

// Older are the backups of a home that were made before a moment, oldest first. The newest stays
// whatever its age, and so does what one that stays builds on.
func Older(names []string, homeID string, before time.Time) []File {
	all, stay := newestFirst(names, homeID), map[time.Time]bool{}
	for i, k := range all {
		if i == 0 || !k.At.Before(before) {
			stay[k.At] = true
		}
	}
	var old []File
	for _, name := range besides(all, stay) {
		k, _ := ParseName(name)
		old = append(old, k)
	}
	return old
}

// newestFirst reads the names of a home's backups.
func newestFirst(names []string, homeID string) (all []File) {
	for _, name := range names {
		if k, ok := ParseName(name); ok && k.HomeID == homeID {
			all = append(all, k)
		}
	}
	slices.SortFunc(all, func(a, b File) int {
		if c := b.At.Compare(a.At); c != 0 {
			return c
		}
		return strings.Compare(a.Name, b.Name)
	})
	return all
}

// besides are the names of the backups that do not stay and that nothing builds on that stays,
// oldest first.
func besides(all []File, stay map[time.Time]bool) []string {
	for range all { // as many steps as the longest chain may have
		for _, k := range all {
			if stay[k.At] && !k.Since.IsZero() {
				stay[k.Since] = true
			}
		}
	}
	var expired []string
	for _, k := range slices.Backward(all) {
		if !stay[k.At] {
			expired = append(expired, k.Name)
		}
	}
	return expired
}
