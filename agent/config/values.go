package config

import (
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/mail"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/transparency"
	"github.com/vecctl/vecctl/pkg/vault"
)

// value reads a setting's text into a field of Config, and writes the field as text.
type value interface {
	set(text string) error
	String() string
}

// text is any text that its check lets in; "" always is.
type text struct {
	to    *string
	check func(string) error // nil lets all in
}

func (v text) String() string { return *v.to }

func (v text) set(s string) error {
	if v.check != nil && s != "" {
		if err := v.check(s); err != nil {
			return err
		}
	}
	*v.to = s
	return nil
}

// path is a path. All settings that are one have this type, so that all of them count
// from the same folder.
type path struct{ to *string }

func (v path) String() string     { return *v.to }
func (v path) set(s string) error { *v.to = s; return nil }

// anchor makes the path absolute, counted from dir; "" is the current folder.
func (v path) anchor(dir string) error {
	if *v.to == "" || filepath.IsAbs(*v.to) {
		return nil
	}
	whole, err := filepath.Abs(filepath.Join(dir, *v.to))
	if err != nil {
		return fmt.Errorf("finding %s: %w", *v.to, err)
	}
	*v.to = whole
	return nil
}

// toggle is true or false.
type toggle struct{ to *bool }

func (v toggle) String() string { return strconv.FormatBool(*v.to) }

func (v toggle) set(s string) error {
	on, err := strconv.ParseBool(s)
	if err != nil {
		return fault.Newf(fault.Invalid, "%q is neither true nor false", s)
	}
	*v.to = on
	return nil
}

// duration is a length of time.
type duration struct{ to *time.Duration }

// String writes 24h rather than 24h0m0s.
func (v duration) String() string {
	s := v.to.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func (v duration) set(s string) error {
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return fault.Newf(fault.Invalid, "%q is no time; want one such as 5s or 10m", s)
	}
	*v.to = d
	return nil
}

// keyAlgorithm is a kind of signing key.
type keyAlgorithm struct{ to *string }

func (v keyAlgorithm) String() string { return *v.to }

func (v keyAlgorithm) set(s string) error {
	kind, err := pdf.ParseKeyAlgorithm(s)
	if err == nil {
		*v.to = string(kind)
	}
	return err
}

// boundedDuration is a length of time between two others.
type boundedDuration struct {
	to          *time.Duration
	least, most time.Duration
}

func (v boundedDuration) String() string { return duration{v.to}.String() }

func (v boundedDuration) set(s string) error {
	d, err := time.ParseDuration(s)
	if err != nil || d < v.least || d > v.most {
		return fault.Newf(fault.Invalid, "%q is no time from %s to %s", s, v.least, v.most)
	}
	*v.to = d
	return nil
}

// count is a number from 1; 0, which is not set, is shown as nothing.
type count struct {
	to   *int
	most int
}

func (v count) String() string {
	if *v.to == 0 {
		return ""
	}
	return strconv.Itoa(*v.to)
}

func (v count) set(s string) error {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > v.most {
		return fault.Newf(fault.Invalid, "%q is no number from 1 to %d", s, v.most)
	}
	*v.to = n
	return nil
}

// days is a number of days; 0 is for ever.
type days struct{ to *time.Duration }

const day = 24 * time.Hour

func (v days) String() string { return strconv.Itoa(int(*v.to / day)) }

func (v days) set(s string) error {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > maxDays {
		return fault.Newf(fault.Invalid, "%q is no number of days; want one from 0 (for ever) to %d", s, maxDays)
	}
	*v.to = time.Duration(n) * day
	return nil
}

// millimetres is a length; 0, which is not set, is shown as nothing.
type millimetres struct {
	to          *float64
	least, most float64
}

func (v millimetres) String() string {
	if *v.to == 0 {
		return ""
	}
	return strconv.FormatFloat(*v.to, 'g', -1, 64)
}

func (v millimetres) set(s string) error {
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || !(n >= v.least && n <= v.most) {
		return fault.Newf(fault.Invalid, "%q is no length in millimetres; want a number from %g to %g", s, v.least, v.most)
	}
	*v.to = n
	return nil
}

// none is how a setting says that it wants nothing, where nothing said means a default.
const none = "none"

// listenAddress is an address to listen on; "" is none.
type listenAddress struct{ to *string }

func (v listenAddress) String() string {
	if *v.to == "" {
		return none
	}
	return *v.to
}

func (v listenAddress) set(s string) error {
	if s == none || s == "" {
		*v.to = ""
		return nil
	}
	_, port, err := net.SplitHostPort(s)
	if n, e := strconv.Atoi(port); err != nil || e != nil || n < 0 || n > 65535 {
		return fault.Newf(fault.Invalid, "%q is no address to listen on; want one such as 127.0.0.1:7780, or none", s)
	}
	*v.to = s
	return nil
}

// networks is a list of addresses and networks.
type networks struct{ to *[]netip.Prefix }

func (v networks) String() string {
	all := make([]string, len(*v.to))
	for i, one := range *v.to {
		all[i] = one.String()
	}
	return strings.Join(all, ", ")
}

func (v networks) set(s string) error {
	var all []netip.Prefix
	for _, one := range splitList(s) {
		network, err := netip.ParsePrefix(one)
		if err != nil {
			address, err := netip.ParseAddr(one)
			if err != nil {
				return fault.Newf(fault.Invalid, "%q is no address; want one such as 127.0.0.1 or 10.0.0.0/8", one)
			}
			network = netip.PrefixFrom(address, address.BitLen())
		}
		all = append(all, unmapPrefix(network.Masked()))
	}
	*v.to = all
	return nil
}

// unmapPrefix is a network of IPv4 as such where it is written inside IPv6: callers'
// addresses are compared in that form.
func unmapPrefix(p netip.Prefix) netip.Prefix {
	const before = 96 // bits
	if p.Addr().Is4In6() && p.Bits() >= before {
		return netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-before)
	}
	return p
}

// emails is a list of e-mail addresses; nil is not set, an empty list is none.
type emails struct{ to *[]string }

func (v emails) String() string {
	if *v.to != nil && len(*v.to) == 0 {
		return none
	}
	return strings.Join(*v.to, ", ")
}

func (v emails) set(s string) error {
	if s == none {
		*v.to = []string{}
		return nil
	}
	for one := range strings.SplitSeq(s, ",") {
		if err := checkEmail(strings.TrimSpace(one)); err != nil {
			return err
		}
	}
	*v.to = splitList(s)
	return nil
}

// daysBefore are numbers of days before a day, the most first; none is an empty list.
type daysBefore struct{ to *[]int }

func (v daysBefore) String() string {
	if len(*v.to) == 0 {
		return none
	}
	all := make([]string, len(*v.to))
	for i, n := range *v.to {
		all[i] = strconv.Itoa(n) + "d"
	}
	return strings.Join(all, ", ")
}

func (v daysBefore) set(s string) error {
	var all []int
	if s != none {
		for _, one := range splitList(s) {
			term, err := vault.ParseTerm(one)
			if err != nil || term.Years+term.Months > 0 {
				return fault.Newf(fault.Invalid, "%q is no number of days; want terms such as 60d, 30d, 1w, or none", one)
			}
			all = append(all, term.Days)
		}
	}
	slices.Sort(all)
	slices.Reverse(all)
	*v.to = slices.Compact(all)
	return nil
}

// columnMap says which columns of a table feed which fields.
type columnMap struct{ to *map[string]string }

func (v columnMap) String() string {
	var pairs []string
	for _, column := range slices.Sorted(maps.Keys(*v.to)) {
		pairs = append(pairs, column+"="+(*v.to)[column])
	}
	return strings.Join(pairs, "; ")
}

func (v columnMap) set(s string) error {
	*v.to = nil
	for pair := range strings.SplitSeq(s, ";") {
		if pair = strings.TrimSpace(pair); pair == "" {
			continue
		}
		end := strings.LastIndexByte(pair, '=') // a heading may have one in it
		if end < 1 || end == len(pair)-1 {
			return fault.Newf(fault.Invalid, "%q is no column with its field; want such as Graduate=full_name", pair)
		}
		if *v.to == nil {
			*v.to = map[string]string{}
		}
		(*v.to)[strings.TrimSpace(pair[:end])] = strings.TrimSpace(pair[end+1:])
	}
	return nil
}

// words is a list of words without commas.
type words struct{ to *[]string }

func (v words) String() string     { return strings.Join(*v.to, ", ") }
func (v words) set(s string) error { *v.to = splitList(s); return nil }

// serverURLs are addresses of servers, separated by commas. Those of signing services begin with csc:.
type serverURLs struct{ to *[]string }

func (v serverURLs) String() string { return strings.Join(*v.to, ", ") }

func (v serverURLs) set(s string) error {
	all := splitList(s)
	for _, one := range all {
		if err := checkServer(strings.TrimPrefix(one, "csc:")); err != nil {
			return err
		}
	}
	*v.to = all
	return nil
}

// cosigners are witnesses, separated by commas.
type cosigners struct{ to *[]transparency.Cosigner }

func (v cosigners) String() string {
	all := make([]string, len(*v.to))
	for i, c := range *v.to {
		all[i] = c.Key + " " + c.URL
	}
	return strings.Join(all, ", ")
}

func (v cosigners) set(s string) error {
	all := []transparency.Cosigner{}
	for _, one := range splitList(s) {
		c, err := transparency.ParseCosigner(one)
		if err != nil {
			return err
		}
		if c.URL == "" {
			return fault.Newf(fault.Invalid, "the address of the witness %s is missing; it stands behind the key and a space", c.Name())
		}
		all = append(all, c)
	}
	*v.to = all
	return nil
}

// serverURL is a list of at most one address of a server, which may hold commas.
type serverURL struct{ to *[]string }

func (v serverURL) String() string { return strings.Join(*v.to, "") }

func (v serverURL) set(s string) error {
	if err := checkServer(s); err != nil {
		return err
	}
	*v.to = []string{s}
	return nil
}

// mailServer is a server that takes mails; nil is none. Its text leaves out who signs in.
type mailServer struct{ to **mail.Server }

func (v mailServer) String() string {
	if *v.to == nil {
		return ""
	}
	return (*v.to).Address()
}

func (v mailServer) set(s string) error {
	server, err := mail.ParseServer(s)
	if err != nil {
		return err
	}
	*v.to = &server
	return nil
}

// logLevel is the lowest level that is logged.
type logLevel struct{ to *slog.Level }

func (v logLevel) String() string { return strings.ToLower(v.to.String()) }

func (v logLevel) set(s string) error {
	if err := checkOneOf("debug", "info", "warn", "error")(s); err != nil {
		return err
	}
	if err := v.to.UnmarshalText([]byte(s)); err != nil {
		return fmt.Errorf("reading the level %s: %w", s, err)
	}
	return nil
}

func checkOneOf(words ...string) func(string) error {
	return func(s string) error {
		if !slices.Contains(words, s) {
			return fault.Newf(fault.Invalid, "%q is not one of %s", s, strings.Join(words, ", "))
		}
		return nil
	}
}
