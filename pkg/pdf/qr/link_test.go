package qr

import "testing"

func TestLink(t *testing.T) {
	for address, want := range map[string]string{
		"https://certificates.example.edu/v/VEC-1": "https://certificates.example.edu/v/VEC-1",
		"HTTPS://EXAMPLE.EDU/V/A%20B":              "HTTPS://EXAMPLE.EDU/V/A%20B",
		"https://zürich.example/v/1":               "https://xn--zrich-kva.example/v/1",
		"https://ZÜRICH.example:8443/Prüfung/1":    "https://xn--zrich-kva.example:8443/Pr%C3%BCfung/1",
		"https://例え.テスト/証明 書?a=é#ß":                "https://xn--r8jz45g.xn--zckzah/%E8%A8%BC%E6%98%8E%20%E6%9B%B8?a=%C3%A9#%C3%9F",
		"https://example.edu/شهادة":                "https://example.edu/%D8%B4%D9%87%D8%A7%D8%AF%D8%A9",
		"Prüfung 7":                                "Pr%C3%BCfung%207",
	} {
		got, err := Link(address)
		if err != nil || got != want {
			t.Errorf("%s: %s, %v, want %s", address, got, err, want)
		}
	}
	if _, err := Link("https://a\u2028b.example/"); err == nil {
		t.Error("a host with a line separator in it is taken")
	}
}
