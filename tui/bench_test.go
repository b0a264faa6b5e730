package tui

import (
	"fmt"
	"testing"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/tui/ui"
)

// What a tenth of a second at 500 certificates a second costs: news, and a frame.
func BenchmarkNewsAndFrame(b *testing.B) {
	f := busy()
	s := newStageFor(b, f, staging{width: 110, height: 35})
	s.begin()
	s.press("2")
	var told []adminclient.Message
	for i := range 100 {
		c := certificate(i, "approved")
		told = append(told, adminclient.Message{ID: fmt.Sprint(i), Certificate: &adminclient.CertificateEvent{Event: "certificate_application.approved", UUID: c.UUID,
			ReferenceID: c.ReferenceID, BatchID: "b-2", Name: c.Name, Title: c.Title, At: begun}})
	}
	b.Run("news", func(b *testing.B) {
		for b.Loop() {
			s.root.route(ui.EventsMsg{Messages: told})
		}
	})
	for n := range 9 {
		s.press(fmt.Sprint(n + 1))
		b.Run("frame "+s.root.pages[s.root.current].Name(), func(b *testing.B) {
			for b.Loop() {
				s.root.draw()
			}
		})
	}
}
