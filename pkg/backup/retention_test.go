package backup

import (
	"slices"
	"testing"
	"time"
)

func TestNames(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 5, 2, 10, 0, 0, 0, time.FixedZone("", 7200))
	for _, test := range []struct {
		since  time.Time
		sealed bool
		want   string
	}{
		{time.Time{}, false, "vecctl-00c0ffee-20260502T080000Z.tar.zst"},
		{at.Add(-time.Hour), true, "vecctl-00c0ffee-20260502T080000Z-since-20260502T070000Z.tar.zst.age"},
	} {
		name := Name("00c0ffee", at, test.since, test.sealed)
		k, ok := ParseName(name)
		if name != test.want || !ok || k.HomeID != "00c0ffee" || !k.At.Equal(at) || !k.Since.Equal(test.since) {
			t.Errorf("%s is %+v, %v", name, k, ok)
		}
	}
	for _, name := range []string{"", "backup.tar.zst", "vecctl-00c0ffee-20260502T080000Z.tar", "vecctl-00c0ffee-20261302T080000Z.tar.zst", "vecctl-x-20260502T080000Z.tar.zst"} {
		if _, ok := ParseName(name); ok {
			t.Errorf("%q is taken for a backup", name)
		}
	}
}

func TestRetention(t *testing.T) {
	t.Parallel()
	day := func(n int) time.Time { return time.Date(2026, 3, 1+n, 2, 30, 0, 0, time.UTC) } // the first is a Sunday
	whole := func(n int) string { return Name("00000001", day(n), time.Time{}, false) }
	onto := func(n, since int) string { return Name("00000001", day(n), day(since), false) }
	var month []string
	for n := range 28 {
		month = append(month, whole(n))
	}
	chain := []string{whole(0), onto(1, 0), onto(2, 1), onto(3, 2), whole(4), onto(5, 4)}
	noon := Name("00000001", day(27).Add(9*time.Hour), time.Time{}, false)
	for name, test := range map[string]struct {
		names []string
		keep  Retention
		left  []string
		made  string
	}{
		"no rule":          {month, Retention{}, month, ""},
		"days":             {month, Retention{Daily: 3}, month[25:], ""},
		"weeks":            {month, Retention{Weekly: 2}, []string{month[21], month[27]}, ""},
		"both":             {month, Retention{Daily: 2, Weekly: 3}, []string{month[14], month[21], month[26], month[27]}, ""},
		"the day's last":   {append(slices.Clone(month), noon), Retention{Daily: 1}, []string{noon}, ""},
		"what is built on": {chain, Retention{Daily: 1}, chain[4:], ""},
		"a whole chain":    {chain, Retention{Daily: 3}, chain, ""},
		"gaps":             {[]string{whole(0), whole(9), whole(20)}, Retention{Daily: 2}, []string{whole(9), whole(20)}, ""},
		"nothing":          {nil, Retention{Daily: 2}, nil, ""},
		"a clock set back": {month, Retention{Daily: 2}, []string{month[3], month[26], month[27]}, month[3]},
		"and built upon":   {append(slices.Clone(month), onto(-1, 20), onto(-2, -1)), Retention{Daily: 1}, []string{month[20], month[27], onto(-1, 20), onto(-2, -1)}, onto(-2, -1)},
	} {
		others := []string{Name("00000002", day(0), time.Time{}, false), "notes.txt"}
		expired := test.keep.Expired(append(slices.Clone(test.names), others...), test.made, "00000001", time.UTC)
		left := slices.DeleteFunc(slices.Clone(test.names), func(n string) bool { return slices.Contains(expired, n) })
		if !slices.Equal(left, test.left) && len(left)+len(test.left) > 0 {
			t.Errorf("%s: left %v, want %v", name, left, test.left)
		}
		if slices.Contains(expired, others[0]) || slices.Contains(expired, others[1]) {
			t.Errorf("%s: another's files expired", name)
		}
	}
}

// Old backups go, but for the newest and for what a younger one builds on.
func TestOlderBackups(t *testing.T) {
	t.Parallel()
	day := func(n int) time.Time { return time.Date(2026, 5, n, 3, 0, 0, 0, time.UTC) }
	whole := func(n int) string { return Name("0a1b2c3d", day(n), time.Time{}, false) }
	onto := func(n, since int) string { return Name("0a1b2c3d", day(n), day(since), false) }
	for name, test := range map[string]struct {
		names  []string
		before int
		want   []string
	}{
		"none is old":         {[]string{whole(3), whole(4)}, 3, nil},
		"two are":             {[]string{whole(3), whole(1), whole(2), "notes.txt", Name("99999999", day(1), time.Time{}, false)}, 3, []string{whole(1), whole(2)}},
		"the newest stays":    {[]string{whole(1), whole(2)}, 9, []string{whole(1)}},
		"what is built on":    {[]string{whole(1), onto(2, 1), onto(5, 2), whole(3)}, 4, []string{whole(3)}},
		"nothing":             {nil, 4, nil},
		"a chain that is old": {[]string{whole(1), onto(2, 1), whole(5)}, 4, []string{whole(1), onto(2, 1)}},
	} {
		var got []string
		for _, k := range Older(test.names, "0a1b2c3d", day(test.before)) {
			got = append(got, k.Name)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: %q go, want %q", name, got, test.want)
		}
	}
}
