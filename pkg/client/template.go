package client

// Template is a certificate template as the vault's own API lists it. Lengths
// are in millimetres.
type Template struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Orientation string   `json:"orientation"` // "portrait" or "landscape"
	WidthMM     float64  `json:"width_mm"`
	HeightMM    float64  `json:"height_mm"`
	Fields      []string `json:"fields"` // columns that a row must have
}
