package bolt

import (
	"encoding/binary"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/webhook"
)

// Deliveries are many, and each is written and read several times, so they are not
// kept as JSON, whose reading alone took a sixth of a delivery's time. Fields follow
// one another: numbers as varints, texts and bytes behind their length, moments as
// nanoseconds with 0 for none.

// deliveryEncoding is the first byte of a delivery: the version of what follows.
const deliveryEncoding = 1

func encodeDelivery(key []byte, d webhook.Delivery) []byte {
	p := make(fieldEncoder, 0, 320)
	p = append(p, deliveryEncoding)
	p.number(d.ID)
	p.text(d.UUID)
	p.text(d.Endpoint)
	p.number(uint64(d.Institution))
	p.text(d.Store)
	p.text(string(d.Event))
	p.text(d.Subject)
	p.time(d.Timestamp)
	p.time(d.CreatedAt)
	p.text(string(d.State))
	p.number(uint64(d.Tries))
	p.time(d.RunAt)
	p.number(uint64(len(d.Attempts)))
	for _, a := range d.Attempts {
		p.time(a.At)
		p.number(uint64(a.Duration))
		p.number(uint64(a.Status))
		p.text(a.Error)
		p.text(string(a.Response))
	}
	return boltfile.AddChecksum(key, p)
}

func decodeDelivery(key, value []byte) (webhook.Delivery, error) {
	body, err := boltfile.VerifyChecksum(key, value)
	if err != nil {
		return webhook.Delivery{}, err
	}
	u := fieldDecoder{rest: body}
	u.bad = u.byte() != deliveryEncoding
	d := webhook.Delivery{ID: u.number(), UUID: u.text(), Endpoint: u.text()}
	d.Institution, d.Store = uint32(u.number()), u.text()
	d.Event, d.Subject = vault.EventType(u.text()), u.text()
	d.Timestamp, d.CreatedAt = u.time(), u.time()
	d.State, d.Tries, d.RunAt = webhook.State(u.text()), int(u.number()), u.time()
	n := u.number()
	if u.bad = u.bad || n > uint64(len(u.rest)); !u.bad && n > 0 {
		d.Attempts = make([]webhook.Attempt, n)
	}
	for i := range d.Attempts {
		a := &d.Attempts[i]
		a.At, a.Duration, a.Status, a.Error = u.time(), time.Duration(u.number()), int(u.number()), u.text()
		if answer := u.text(); answer != "" {
			a.Response = []byte(answer)
		}
	}
	if u.bad || len(u.rest) > 0 {
		return webhook.Delivery{}, fault.New(fault.Damaged, "a record of a delivery cannot be read; restore the home from a backup")
	}
	return d, nil
}

type fieldEncoder []byte

func (p *fieldEncoder) number(n uint64) { *p = binary.AppendUvarint(*p, n) }

func (p *fieldEncoder) text(s string) {
	p.number(uint64(len(s)))
	*p = append(*p, s...)
}

func (p *fieldEncoder) time(t time.Time) {
	if t.IsZero() {
		p.number(0)
		return
	}
	p.number(uint64(t.UnixNano()))
}

// fieldDecoder takes a record apart; bad is true once something did not fit.
type fieldDecoder struct {
	rest []byte
	bad  bool
}

func (u *fieldDecoder) byte() byte {
	if len(u.rest) == 0 {
		u.bad = true
		return 0
	}
	b := u.rest[0]
	u.rest = u.rest[1:]
	return b
}

func (u *fieldDecoder) number() uint64 {
	n, length := binary.Uvarint(u.rest)
	if length <= 0 {
		u.bad, u.rest = true, nil
		return 0
	}
	u.rest = u.rest[length:]
	return n
}

func (u *fieldDecoder) text() string {
	n := u.number()
	if n > uint64(len(u.rest)) {
		u.bad, u.rest = true, nil
		return ""
	}
	s := string(u.rest[:n])
	u.rest = u.rest[n:]
	return s
}

func (u *fieldDecoder) time() time.Time {
	if n := u.number(); n != 0 {
		return time.Unix(0, int64(n)).UTC()
	}
	return time.Time{}
}
