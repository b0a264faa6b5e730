// Package openbadge makes and reads Open Badges 3.0: W3C Verifiable Credentials 2.0 about an
// achievement, signed with a Data Integrity proof (eddsa-rdfc-2022) or as a JSON Web Token, alone
// or baked into a picture, with issuers by did:web and revocation by Bitstring Status List.
//
// Nothing here uses the network. The JSON-LD contexts are embedded by their exact addresses; what
// lies outside, such as an issuer's keys, comes from a Source.
package openbadge
