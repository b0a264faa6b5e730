package delivery

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/vault/hook"
)

func FuzzPackedDelivery(f *testing.F) {
	d := hook.Delivery{ID: 7, UUID: "u", Endpoint: "e", Owner: hook.Owner{Institution: 3, Store: "shop"}, Event: "x", Subject: "s",
		Timestamp: time.Unix(1, 2).UTC(), CreatedAt: time.Unix(3, 0).UTC(), State: hook.GivenUp, Tries: 4, RunAt: time.Unix(5, 0).UTC(),
		Attempts: []hook.Attempt{{At: time.Unix(6, 0).UTC(), Took: time.Second, Status: 500, Error: "no", Answer: []byte{0, 255}}, {}}}
	key := []byte("key")
	for _, one := range []hook.Delivery{d, {}} {
		packed := packDelivery(key, one)
		got, err := unpackDelivery(key, packed)
		if err != nil || written(f, got) != written(f, one) {
			f.Fatalf("%v\n got %s\nwant %s", err, written(f, got), written(f, one))
		}
		for n := range packed {
			if _, err := unpackDelivery(key, record.Seal(key, packed[4:])[:n]); err == nil {
				f.Fatalf("%d bytes of %d were read", n, len(packed))
			}
		}
		f.Add(packed[4:])
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		one, err := unpackDelivery(key, record.Seal(key, body))
		if err != nil {
			return
		}
		again, err := unpackDelivery(key, packDelivery(key, one))
		if err != nil || written(t, again) != written(t, one) {
			t.Errorf("%v: %+v, then %+v", err, one, again)
		}
	})
}

func written(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Skip(err) // a year that JSON cannot write
	}
	return string(text)
}
