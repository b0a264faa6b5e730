package manifest

import (
	"regexp"
	"strings"

	"github.com/vecctl/vecctl/pkg/manifest/sheet"
)

// AnswersName is the file beside a manifest in the drop folder that answers what a command
// is told by flags.
const AnswersName = "manifest.yaml"

// flagAdvice finds the flags of the bulk command in a message, with their values: in double
// quotes, as sheet.ShellQuote writes them, or of one word.
var flagAdvice = regexp.MustCompile(`--(map|sheet|hidden|date-format|delimiter|encoding|names|qr-at|cover|strict)(?: ("(?:\\.|[^"\\])*"|[A-Za-z0-9_./+=-]*[A-Za-z0-9_/+=-]))?(?: --(map) ("(?:\\.|[^"\\])*"|\S+))*`)

// FileAdvice returns a message that advises lines of manifest.yaml instead of flags of a
// command, which nobody can give to the drop folder.
func FileAdvice(message string) string {
	message = strings.ReplaceAll(message, "name that folder with --files, or put it before", "put it before")
	return flagAdvice.ReplaceAllStringFunc(message, func(advice string) string {
		parts := flagAdvice.FindStringSubmatch(advice)
		flag, value := parts[1], unquoteShell(parts[2])
		key := strings.ReplaceAll(flag, "-", "_")
		switch {
		case flag == "map" && value != "":
			return mapLine(advice)
		case flag == "strict", flag == "cover":
			return "the line `" + key + ": true` in " + AnswersName + strings.TrimPrefix(advice, "--"+flag)
		case value == "":
			return "`" + key + "` in " + AnswersName
		}
		return "the line `" + key + ": " + yamlText(value) + "` in " + AnswersName
	})
}

// mapLine is one line for all columns that flags map.
func mapLine(advice string) string {
	var pairs []string
	for _, one := range mapFlag.FindAllStringSubmatch(advice, -1) {
		pair := unquoteShell(one[1])
		end := strings.LastIndexByte(pair, '=')
		if end < 0 {
			continue
		}
		pairs = append(pairs, yamlText(pair[:end])+": "+yamlText(pair[end+1:]))
	}
	return "the line `map: {" + strings.Join(pairs, ", ") + "}` in " + AnswersName
}

var mapFlag = regexp.MustCompile(`--map ("(?:\\.|[^"\\])*"|\S+)`)

// unquoteShell undoes sheet.ShellQuote.
func unquoteShell(text string) string {
	if len(text) < 2 || text[0] != '"' {
		return text
	}
	var b strings.Builder
	for i := 1; i < len(text)-1; i++ {
		if text[i] == '\\' {
			i++
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// yamlText writes a text as YAML has it, in quotes where it may be read as something else.
func yamlText(text string) string {
	if plainYAML.MatchString(text) {
		return text
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(sheet.Clean(text)) + `"`
}

var plainYAML = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_/.-]*$`)
