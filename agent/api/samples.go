package api

import (
	"encoding/json"
	"fmt"
	"strings"
)

// What stands in samples for the address of the API and for the token. The page puts in the address
// that it was loaded from.
const (
	sampleBase  = "BASE_URL"
	sampleToken = "YOUR_API_TOKEN"
)

// codeSamples are one call in several languages.
type codeSamples struct {
	Curl   string `json:"curl"`
	PHP    string `json:"php"`
	Node   string `json:"node"`
	Python string `json:"python"`
}

// samplesByCall returns the samples of all calls, by their IDs in the description.
func samplesByCall(raw []byte) (map[string]codeSamples, error) {
	calls, _, err := exampleCalls(raw)
	all := make(map[string]codeSamples, len(calls))
	for _, c := range calls {
		all[c.id] = codeSamples{Curl: c.curl(), PHP: c.php(), Node: c.node(), Python: c.python()}
	}
	return all, err
}

// headers are those of a call, as name and value.
func (c exampleCall) headers() (all [][2]string) {
	all = append(all, [2]string{"Accept", c.accept()})
	if c.token {
		all = append(all, [2]string{"Authorization", "Bearer " + sampleToken})
	}
	if c.json != nil {
		all = append(all, [2]string{"Content-Type", "application/json"})
	}
	return all
}

func (c exampleCall) accept() string {
	if c.saves != "" {
		return "*/*"
	}
	return "application/json"
}

// body is the JSON body, indented.
func (c exampleCall) body(indent string) string {
	raw, err := json.MarshalIndent(c.json, indent, "  ")
	if err != nil {
		panic(err) // it came from JSON
	}
	return string(raw)
}

func (c exampleCall) curl() string {
	lines := []string{fmt.Sprintf("curl --fail-with-body -X %s '%s%s'", c.method, sampleBase, c.path)}
	for _, h := range c.headers() {
		lines = append(lines, fmt.Sprintf("  -H '%s: %s'", h[0], h[1]))
	}
	for _, f := range c.fields {
		value := f.value
		if f.file {
			value = "@" + value
		}
		lines = append(lines, fmt.Sprintf("  -F '%s=%s'", f.name, shellQuoted(value)))
	}
	if c.json != nil {
		lines = append(lines, "  --data '"+shellQuoted(c.body("  "))+"'")
	}
	if c.saves != "" {
		lines = append(lines, "  --output "+c.saves)
	}
	return strings.Join(lines, " \\\n") + "\n"
}

// shellQuoted is a text as it stands between single quotes.
func shellQuoted(s string) string { return strings.ReplaceAll(s, "'", `'\''`) }

// quoted is a text between single quotes, as PHP and JavaScript read it.
func quoted(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`, "\n", `\n`).Replace(s) + "'"
}

func (c exampleCall) php() string {
	var b strings.Builder
	fmt.Fprintf(&b, "<?php\n$call = curl_init(%s);\ncurl_setopt_array($call, [\n    CURLOPT_RETURNTRANSFER => true,\n    CURLOPT_CUSTOMREQUEST => %s,\n    CURLOPT_HTTPHEADER => [\n",
		quoted(sampleBase+c.path), quoted(c.method))
	for _, h := range c.headers() {
		fmt.Fprintf(&b, "        %s,\n", quoted(h[0]+": "+h[1]))
	}
	b.WriteString("    ],\n")
	if len(c.fields) > 0 {
		b.WriteString("    CURLOPT_POSTFIELDS => [\n")
		for _, f := range c.fields {
			value := quoted(f.value)
			if f.file {
				value = "new CURLFile(" + value + ")"
			}
			fmt.Fprintf(&b, "        %s => %s,\n", quoted(f.name), value)
		}
		b.WriteString("    ],\n")
	}
	if c.json != nil {
		fmt.Fprintf(&b, "    CURLOPT_POSTFIELDS => <<<'JSON'\n%s\nJSON,\n", c.body(""))
	}
	b.WriteString("]);\n$answer = curl_exec($call);\n$status = curl_getinfo($call, CURLINFO_RESPONSE_CODE);\n" +
		"if ($answer === false || $status >= 400) {\n    throw new RuntimeException($answer === false ? curl_error($call) : \"$status $answer\");\n}\n")
	if c.saves != "" {
		fmt.Fprintf(&b, "file_put_contents(%s, $answer);\n", quoted(c.saves))
	} else {
		b.WriteString("print_r(json_decode($answer, true));\n")
	}
	return b.String()
}

func (c exampleCall) node() string {
	var b strings.Builder
	var used []string
	for _, f := range c.fields {
		if f.file {
			used = []string{"readFile"}
		}
	}
	if c.saves != "" {
		used = append(used, "writeFile")
	}
	if len(used) > 0 {
		fmt.Fprintf(&b, "import { %s } from 'node:fs/promises';\n\n", strings.Join(used, ", "))
	}
	if len(c.fields) > 0 {
		b.WriteString("const body = new FormData();\n")
		for _, f := range c.fields {
			if f.file {
				fmt.Fprintf(&b, "body.set(%s, new Blob([await readFile(%s)]), %s);\n", quoted(f.name), quoted(f.value), quoted(f.value))
			} else {
				fmt.Fprintf(&b, "body.set(%s, %s);\n", quoted(f.name), quoted(f.value))
			}
		}
	}
	if c.json != nil {
		fmt.Fprintf(&b, "const body = JSON.stringify(%s);\n", c.body(""))
	}
	fmt.Fprintf(&b, "const answer = await fetch(%s, {\n  method: %s,\n  headers: {\n", quoted(sampleBase+c.path), quoted(c.method))
	for _, h := range c.headers() {
		fmt.Fprintf(&b, "    %s: %s,\n", quoted(h[0]), quoted(h[1]))
	}
	b.WriteString("  },\n")
	if len(c.fields) > 0 || c.json != nil {
		b.WriteString("  body,\n")
	}
	b.WriteString("});\nif (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);\n")
	if c.saves != "" {
		fmt.Fprintf(&b, "await writeFile(%s, Buffer.from(await answer.arrayBuffer()));\n", quoted(c.saves))
	} else {
		b.WriteString("console.log(await answer.json());\n")
	}
	return b.String()
}

// pythonQuoted is a text as a Python string.
func pythonQuoted(s string) string {
	raw, err := json.Marshal(s)
	if err != nil {
		panic(err) // texts are always JSON
	}
	return string(raw)
}

func (c exampleCall) python() string {
	var b strings.Builder
	b.WriteString("import requests\n\n")
	fmt.Fprintf(&b, "answer = requests.request(\n    %s,\n    %s,\n    headers={\n", pythonQuoted(c.method), pythonQuoted(sampleBase+c.path))
	for _, h := range c.headers() {
		fmt.Fprintf(&b, "        %s: %s,\n", pythonQuoted(h[0]), pythonQuoted(h[1]))
	}
	b.WriteString("    },\n")
	var texts, files string
	for _, f := range c.fields {
		if f.file {
			files += fmt.Sprintf("        %s: open(%s, \"rb\"),\n", pythonQuoted(f.name), pythonQuoted(f.value))
		} else {
			texts += fmt.Sprintf("        %s: %s,\n", pythonQuoted(f.name), pythonQuoted(f.value))
		}
	}
	if texts != "" {
		b.WriteString("    data={\n" + texts + "    },\n")
	}
	if files != "" {
		b.WriteString("    files={\n" + files + "    },\n")
	}
	if c.json != nil {
		b.WriteString("    json=" + c.body("    ") + ",\n") // texts and numbers are written alike
	}
	b.WriteString(")\nif not answer.ok:\n    raise SystemExit(f\"{answer.status_code} {answer.text}\")\n")
	if c.saves != "" {
		fmt.Fprintf(&b, "with open(%s, \"wb\") as file:\n    file.write(answer.content)\n", pythonQuoted(c.saves))
	} else {
		b.WriteString("print(answer.json())\n")
	}
	return b.String()
}
