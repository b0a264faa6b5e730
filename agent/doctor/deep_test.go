package doctor_test

import (
	"strings"
	"testing"

	"github.com/vecctl/vecctl/agent/doctor"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
)

// A deep look names each record and document that is damaged, and nothing else does.
func TestADeepLook(t *testing.T) {
	t.Parallel()
	p, v := well(t)
	v.whole = adminclient.Verification{Records: 7, Documents: 3}
	deep := func() (all []doctor.Finding) {
		for _, f := range p.Run(t.Context()) {
			if f.Check == "deep" {
				all = append(all, f)
			}
		}
		return all
	}
	if found := deep(); found != nil {
		t.Errorf("nobody asked for it: %+v", found)
	}
	p.Deep = true
	if found := deep(); len(found) != 1 || found[0].Level != doctor.OK || !strings.Contains(found[0].Message, "all 7 records and 3 documents") {
		t.Errorf("got %+v", found)
	}
	v.whole.Damage = []adminclient.Damage{
		{Kind: "certificates", Key: "0001", UUID: "u-u", File: "/home/vault.db", Message: "the record is not what was written"},
		{Kind: "document", Key: "abcd", UUID: "w-w", File: "/home/blobs/ab/abcd", Message: "the document is missing"},
	}
	v.whole.More = 4
	found := deep()
	if len(found) != 3 {
		t.Fatalf("got %+v", found)
	}
	for i, want := range []string{"/home/vault.db, certificates, key 0001 (of u-u): damaged: the record", "/home/blobs/ab/abcd (of w-w): damaged: the document is missing", "and 4 more"} {
		if found[i].Level != doctor.Wrong || !strings.Contains(found[i].Message, want) || found[i].Fix == "" {
			t.Errorf("want %q, got %+v", want, found[i])
		}
	}
}
