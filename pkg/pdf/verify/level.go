package verify

import (
	"crypto/x509"
	"slices"
)

// lower returns the level that lasts less long.
func lower(a, b Level) Level {
	order := []Level{"", LevelB, LevelT, LevelLT, LevelLTA}
	return order[min(slices.Index(order, a), slices.Index(order, b))]
}

// setLevels finds out how far each signature is made to last.
func (d *document) setLevels() {
	for i, c := range d.signatures {
		s := &c.result
		if s.Level != LevelB || !s.Intact || s.Problem != "" {
			s.Level = ""
			continue
		}
		stamps := d.stampsAfter(i)
		if c.token == nil && len(stamps) == 0 {
			continue
		}
		s.Level = LevelT
		if !s.Timestamped {
			first := stamps[0].result
			s.Timestamped, s.TimestampedBy = true, first.SignedBy
		}
		if !d.lasts(c, stamps) {
			continue
		}
		s.Level = LevelLT
		if slices.ContainsFunc(stamps, d.hasStore) {
			s.Level = LevelLTA
		}
	}
}

// stampsAfter are the document time stamps after a signature that hold.
func (d *document) stampsAfter(i int) []*candidate {
	var stamps []*candidate
	for _, c := range d.signatures[i+1:] {
		if c.result.IsTimestamp && c.result.Intact && c.result.Problem == "" {
			stamps = append(stamps, c)
		}
	}
	return stamps
}

// lasts reports whether the store has what the signature's validation needs, and that of
// the time stamp that vouches for its time.
func (d *document) lasts(c *candidate, stamps []*candidate) bool {
	chain, _ := buildChain(c.certificate, slices.Concat(c.others, d.store.certificates), d.options.Issuances)
	if !d.store.covers(chain) {
		return false
	}
	token, others := c.token, []*x509.Certificate(nil)
	if token == nil {
		token = stamps[0].token
	}
	others = token.Others()
	chain, _ = buildChain(token.Certificate, slices.Concat(others, d.store.certificates), d.options.Issuances)
	return d.store.covers(chain)
}

// hasStore reports whether the document had its store when the time stamp was made, so that
// the time stamp covers it.
func (d *document) hasStore(c *candidate) bool {
	f, err := d.open(c.byteRange.end)
	return err == nil && f != nil && !f.Get(f.Root, "DSS").IsNull()
}
