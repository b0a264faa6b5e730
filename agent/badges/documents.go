package badges

import (
	"context"
	"fmt"
	"strings"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/openbadge"
)

// Document implements openbadge.Source with what this vault itself publishes: the documents of its
// issuers, and their status lists. Of other addresses it knows nothing.
func (s *Service) Document(ctx context.Context, address string) ([]byte, error) {
	for _, id := range s.Institutions.IDs() {
		did, err := s.DID(id)
		if err != nil {
			return nil, err
		}
		if own, err := openbadge.DIDDocumentURL(did); err == nil && own == address {
			return s.DIDDocument(id)
		}
		prefix := strings.TrimSuffix(s.ListAddress(id, 1), "1")
		var list int
		if number, ok := strings.CutPrefix(address, prefix); ok {
			if _, err := fmt.Sscanf(number, "%d", &list); err == nil && s.ListAddress(id, list) == address {
				return s.StatusList(ctx, id, list)
			}
		}
	}
	return nil, fault.Newf(fault.Unavailable, "%s is not an address of this vault, and the network was not asked (--online)", address)
}
