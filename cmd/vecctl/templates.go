package main

import (
	"fmt"

	"github.com/urfave/cli/v2"
)

// templatesCommand is "template list" under the name that the guide's call has.
func templatesCommand(w environment) *cli.Command {
	c := templateListCommand(w)
	c.Name, c.Hidden = "templates", true
	return c
}

func templateListCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "list", Usage: "list certificate templates",
		Flags: append(apiFlags(), outputFlags()...),
		Action: listAction(w, 0, "", templateList(),
			func(c *cli.Context, s *session) ([]map[string]any, error) {
				all, err := s.Templates(c.Context)
				said := make([]map[string]any, len(all))
				for i, t := range all {
					said[i] = t.Raw
				}
				return said, err
			}),
	}
}

func templateList() list[map[string]any] {
	return list[map[string]any]{
		headings: []string{"id", "name"},
		cells: func(t map[string]any) []string {
			text := func(name string) string {
				if t[name] == nil {
					return ""
				}
				return fmt.Sprint(t[name])
			}
			return []string{text("id"), text("name")}
		},
	}
}
