//go:build !unix

package home

// folderNumber tells a folder from its copies; it is not known on this system.
func folderNumber(string) (number string, known bool) { return "", false }
