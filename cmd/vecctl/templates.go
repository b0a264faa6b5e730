package main

import (
	"fmt"

	"github.com/urfave/cli/v2"
)

func templatesCommand(w world) *cli.Command {
	return &cli.Command{
		Name: "templates", Usage: "list certificate templates",
		Flags: append(apiFlags(), outputFlags()...),
		Action: func(c *cli.Context) error {
			if err := exactly(c, 0, ""); err != nil {
				return err
			}
			form, err := formOf(c)
			if err != nil {
				return err
			}
			return with(c, w, func(s *session) error {
				all, err := s.Templates(c.Context)
				if err != nil {
					return err
				}
				return templateList().print(w.stdout, form, all)
			})
		},
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
