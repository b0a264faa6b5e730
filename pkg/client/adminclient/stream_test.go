package adminclient

import (
	"strings"
	"testing"

	"github.com/vecctl/vecctl/pkg/fault"
)

// FuzzStream holds that the event stream ends in an error with words, and that a
// message has at most one thing to say.
func FuzzStream(f *testing.F) {
	f.Add("event: notice\nid: 7\ndata: {\"message\":\"x\"}\n\n")
	f.Add(": still there\n\nevent: snapshot\r\ndata: {}\r\n\r\n")
	f.Add("event: batch\ndata: {\"id\":\ndata: \"x\"}\n\nevent: certificate\ndata: []\n\n")
	f.Add("data\n\n\nevent:\ndata: 1\n\n")
	f.Fuzz(func(t *testing.T, text string) {
		err := readStream(strings.NewReader(text), func(m Message) error {
			said := 0
			for _, there := range []bool{m.Snapshot != nil, m.Certificate != nil, m.Batch != nil, m.Notice != nil} {
				if there {
					said++
				}
			}
			if said > 1 {
				t.Errorf("%q: %+v says %d things", text, m, said)
			}
			return nil
		})
		if message, ok := fault.Message(err); !ok || message == "" {
			t.Errorf("%q ends with %v", text, err)
		}
	})
}
