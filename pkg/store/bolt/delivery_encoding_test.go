package bolt

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault/webhook"
)

func FuzzPackedDelivery(f *testing.F) {
	d := webhook.Delivery{ID: 7, UUID: "u", Endpoint: "e", Subscriber: webhook.Subscriber{Institution: 3, Store: "shop"}, Event: "x", Subject: "s",
		Timestamp: time.Unix(1, 2).UTC(), CreatedAt: time.Unix(3, 0).UTC(), State: webhook.GivenUp, Tries: 4, RunAt: time.Unix(5, 0).UTC(),
		Attempts: []webhook.Attempt{{At: time.Unix(6, 0).UTC(), Duration: time.Second, Status: 500, Error: "no", Response: []byte{0, 255}}, {}}}
	key := []byte("key")
	for _, one := range []webhook.Delivery{d, {}} {
		packed := encodeDelivery(key, one)
		got, err := decodeDelivery(key, packed)
		if err != nil || written(f, got) != written(f, one) {
			f.Fatalf("%v\n got %s\nwant %s", err, written(f, got), written(f, one))
		}
		for n := range packed {
			if _, err := decodeDelivery(key, boltfile.AddChecksum(key, packed[4:])[:n]); err == nil {
				f.Fatalf("%d bytes of %d were read", n, len(packed))
			}
		}
		f.Add(packed[4:])
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		one, err := decodeDelivery(key, boltfile.AddChecksum(key, body))
		if err != nil {
			return
		}
		again, err := decodeDelivery(key, encodeDelivery(key, one))
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
