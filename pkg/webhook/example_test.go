package webhook_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/vecctl/vecctl/pkg/webhook"
)

func ExampleHandler() {
	verifier := webhook.Verifier{Secrets: []string{"your_signing_secret"}}
	handler := webhook.Handler(verifier, func(_ context.Context, d webhook.Delivery) error {
		// Keep d.Identities() and d.Body, unless one of the identities was kept already;
		// work on them later.
		fmt.Println(d.Payload.Event, d.Payload.UUID)
		return nil
	})

	body := `{"event": "certificate_application.approved", "uuid": "9e7860f0-05d1-4fd0-b3e0-e98e19f1cf15"}`
	r := httptest.NewRequest(http.MethodPost, "/webhooks/vec", strings.NewReader(body))
	r.Header.Set(webhook.HeaderSignature, webhook.Sign("your_signing_secret", []byte(body)))
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	fmt.Println(w.Code)
	// Output:
	// certificate_application.approved 9e7860f0-05d1-4fd0-b3e0-e98e19f1cf15
	// 204
}

func ExampleVerifier_Verify() {
	body := []byte(`{"event": "certificate_application.created"}`)
	header := http.Header{}
	header.Set(webhook.HeaderSignature, webhook.Sign("the old secret", body))

	// While a secret is being changed, both are believed.
	v := webhook.Verifier{Secrets: []string{"the new secret", "the old secret"}}
	fmt.Println(v.Verify(header, body))
	fmt.Println(v.Verify(header, append(body, ' ')))
	// Output:
	// <nil>
	// webhook: the signature does not fit
}
