package authorityclient_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/vecctl/vecctl/pkg/client/authorityclient"
)

// A shop shows its badge where it has one, and works alike where it has none.
func ExampleBadgeKeeper() {
	client, err := authorityclient.New("http://127.0.0.1:1", "vws_key", "my-store", http.DefaultTransport)
	if err != nil {
		fmt.Println(err)
		return
	}
	keeper := &authorityclient.BadgeKeeper{
		Client: client, Domain: "mystore.com",
		Cache: authorityclient.FileCache("certification.json"),
		Renew: func() authorityclient.Snapshot { return authorityclient.Snapshot{SDKVersion: "1.9.0"} },
		Log:   func(doing string, err error) { slog.Debug("certification", "doing", doing, "error", err) },
		Now:   time.Now,
	}
	mux := http.NewServeMux()
	mux.Handle("POST /hooks/vendweave", keeper.Webhook("whsec_..."))
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		if c := keeper.Status(r.Context()); c.Status == authorityclient.Active {
			fmt.Fprintln(w, c.BadgeName)
		}
	})
	// Output:
}
