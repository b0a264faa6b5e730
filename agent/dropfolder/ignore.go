package dropfolder

import (
	"path"
	"strings"
)

// Ignored reports whether a file's name says that it is not meant for us: what
// programs keep beside a document or write while they are at it.
func Ignored(name string) bool {
	base := strings.ToLower(path.Base(name))
	for _, prefix := range []string{".", "~$"} {
		if strings.HasPrefix(base, prefix) {
			return true
		}
	}
	switch path.Ext(base) {
	case ".part", ".crdownload", ".tmp":
		return true
	}
	return base == "thumbs.db" || base == "desktop.ini"
}

// IgnoredFolder tells the same of a folder.
func IgnoredFolder(name string) bool { return strings.HasPrefix(path.Base(name), ".") }

// lockedFile returns the file that a lock file says is open in Excel (~$name) or in
// LibreOffice (.~lock.name#); "" for any other file.
func lockedFile(name string) string {
	folder, base := path.Split(name)
	if of, ok := strings.CutPrefix(base, "~$"); ok {
		return folder + of
	}
	if of, ok := strings.CutPrefix(base, ".~lock."); ok && strings.HasSuffix(of, "#") {
		return folder + strings.TrimSuffix(of, "#")
	}
	return ""
}

// neverIssued says why a file will never be issued, whatever lies beside it; "" for one
// that a row may name.
func neverIssued(name string) string {
	switch ext := strings.ToLower(path.Ext(name)); ext {
	case ".rar", ".7z", ".gz", ".tgz", ".tar", ".bz2", ".xz":
		return "a " + strings.TrimPrefix(ext, ".") + " archive is not unpacked; unpack it, or make it a zip of the manifest and its documents"
	case ".doc", ".docx", ".odt", ".rtf", ".pages":
		return "a document of a word processor is not issued; save it as PDF"
	case ".ppt", ".pptx", ".odp", ".key":
		return "a presentation is not issued; save it as PDF"
	case ".numbers":
		return "a Numbers table is not read; export it as XLSX or CSV"
	case ".xlsb", ".xlt", ".xltx":
		return "this kind of workbook is not read; save it as XLSX or CSV"
	case ".eml", ".msg":
		return "a mail is not issued; save what is attached to it"
	case ".lnk", ".url":
		return "a link is not followed; put the file itself here"
	case ".txt", ".md":
		return "a text file is not a manifest; a manifest is a CSV, XLSX or ODS table"
	case ".heic", ".webp", ".gif", ".bmp", ".tif", ".tiff":
		return "pictures of this kind are not issued; save it as PDF, PNG or JPEG"
	}
	return ""
}
