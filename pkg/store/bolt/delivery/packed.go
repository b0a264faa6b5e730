package delivery

import (
	"encoding/binary"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/hook"
)

// Deliveries are many, and each is written and read several times, so they are not
// kept as JSON, whose reading alone took a sixth of a delivery's time. Fields follow
// one another: numbers as varints, texts and bytes behind their length, moments as
// nanoseconds with 0 for none.

// packedDelivery is the first byte of a delivery: the version of what follows.
const packedDelivery = 1

func packDelivery(key []byte, d hook.Delivery) []byte {
	p := make(packer, 0, 320)
	p = append(p, packedDelivery)
	p.number(d.ID)
	p.text(d.UUID)
	p.text(d.Endpoint)
	p.number(uint64(d.Institution))
	p.text(d.Store)
	p.text(string(d.Event))
	p.text(d.Subject)
	p.moment(d.Timestamp)
	p.moment(d.CreatedAt)
	p.text(string(d.State))
	p.number(uint64(d.Tries))
	p.moment(d.RunAt)
	p.number(uint64(len(d.Attempts)))
	for _, a := range d.Attempts {
		p.moment(a.At)
		p.number(uint64(a.Took))
		p.number(uint64(a.Status))
		p.text(a.Error)
		p.text(string(a.Answer))
	}
	return record.Seal(key, p)
}

func unpackDelivery(key, value []byte) (hook.Delivery, error) {
	body, err := record.Unseal(key, value)
	if err != nil {
		return hook.Delivery{}, err
	}
	u := unpacker{rest: body}
	u.bad = u.byte() != packedDelivery
	d := hook.Delivery{ID: u.number(), UUID: u.text(), Endpoint: u.text()}
	d.Institution, d.Store = uint32(u.number()), u.text()
	d.Event, d.Subject = vault.EventType(u.text()), u.text()
	d.Timestamp, d.CreatedAt = u.moment(), u.moment()
	d.State, d.Tries, d.RunAt = hook.State(u.text()), int(u.number()), u.moment()
	n := u.number()
	if u.bad = u.bad || n > uint64(len(u.rest)); !u.bad && n > 0 {
		d.Attempts = make([]hook.Attempt, n)
	}
	for i := range d.Attempts {
		a := &d.Attempts[i]
		a.At, a.Took, a.Status, a.Error = u.moment(), time.Duration(u.number()), int(u.number()), u.text()
		if answer := u.text(); answer != "" {
			a.Answer = []byte(answer)
		}
	}
	if u.bad || len(u.rest) > 0 {
		return hook.Delivery{}, fault.New(fault.Damaged, "a record of a delivery cannot be read; restore the home from a backup")
	}
	return d, nil
}

type packer []byte

func (p *packer) number(n uint64) { *p = binary.AppendUvarint(*p, n) }

func (p *packer) text(s string) {
	p.number(uint64(len(s)))
	*p = append(*p, s...)
}

func (p *packer) moment(t time.Time) {
	if t.IsZero() {
		p.number(0)
		return
	}
	p.number(uint64(t.UnixNano()))
}

// unpacker takes a record apart; bad is true once something did not fit.
type unpacker struct {
	rest []byte
	bad  bool
}

func (u *unpacker) byte() byte {
	if len(u.rest) == 0 {
		u.bad = true
		return 0
	}
	b := u.rest[0]
	u.rest = u.rest[1:]
	return b
}

func (u *unpacker) number() uint64 {
	n, length := binary.Uvarint(u.rest)
	if length <= 0 {
		u.bad, u.rest = true, nil
		return 0
	}
	u.rest = u.rest[length:]
	return n
}

func (u *unpacker) text() string {
	n := u.number()
	if n > uint64(len(u.rest)) {
		u.bad, u.rest = true, nil
		return ""
	}
	s := string(u.rest[:n])
	u.rest = u.rest[n:]
	return s
}

func (u *unpacker) moment() time.Time {
	if n := u.number(); n != 0 {
		return time.Unix(0, int64(n)).UTC()
	}
	return time.Time{}
}
