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
			s.Missing = []string{"a time stamp"}
			continue
		}
		s.Level = LevelT
		if !s.Timestamped {
			first := stamps[0].result
			s.Timestamped, s.TimestampedBy = true, first.SignedBy
		}
		if s.Missing = d.missing(c, stamps); len(s.Missing) > 0 {
			continue
		}
		s.Level = LevelLT
		if slices.ContainsFunc(stamps, d.hasStore) {
			s.Level = LevelLTA
			continue
		}
		s.Missing = []string{"a time stamp of the document over its validation data"}
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

// missing names what the store lacks of what the signature's validation needs, and that of the
// time stamp that vouches for its time.
func (d *document) missing(c *candidate, stamps []*candidate) []string {
	chain, _ := buildChain(c.certificate, slices.Concat(c.others, d.store.certificates), d.options.Issuances)
	token := c.token
	if token == nil {
		token = stamps[0].token
	}
	clock, _ := buildChain(token.Certificate, slices.Concat(token.Others(), d.store.certificates), d.options.Issuances)
	var lacks []string
	if !d.store.present {
		lacks = append(lacks, "a security store with the certificates")
	}
	for _, chain := range [][]*x509.Certificate{chain, clock} {
		for _, one := range d.store.lacks(chain) {
			if !slices.Contains(lacks, one) {
				lacks = append(lacks, one)
			}
		}
	}
	return lacks
}

// hasStore reports whether the document had its store when the time stamp was made, so that
// the time stamp covers it.
func (d *document) hasStore(c *candidate) bool {
	f, err := d.open(c.byteRange.end)
	return err == nil && f != nil && !f.Get(f.Root, "DSS").IsNull()
}

// Next is the level above; empty where there is none.
func (l Level) Next() Level {
	order := []Level{LevelB, LevelT, LevelLT, LevelLTA}
	if i := slices.Index(order, l); i >= 0 && i+1 < len(order) {
		return order[i+1]
	}
	return ""
}

// describeLevel says what a file lacks for the next level, and until when its newest time stamp
// vouches for it.
func (d *document) describeLevel(v *Verdict) {
	if v.Level == "" {
		return
	}
	for i := range v.Signatures {
		s := &v.Signatures[i]
		if s.counts() && s.Level == v.Level {
			v.Missing = s.Missing
			if s.SelfSigned && s.Level != LevelB && s.Level != LevelT {
				v.LevelNote = "Nobody publishes whether a self-made certificate was revoked: look for the certificate in its issuer's log of issued certificates."
			}
			break
		}
	}
	for _, c := range d.signatures {
		if c.token != nil && c.result.Problem == "" {
			v.TimestampUntil = c.token.Certificate.NotAfter
		}
	}
}
