// Writes the TypeScript SDK of a package from its schema, where the CLI has no host for Node.js to do so:
//
//	pulumi package get-schema components/plugin | (cd tools/pulumi && go run ./sdk FOLDER)
//
// Elsewhere `pulumi package add` and `pulumi package gen-sdk --language nodejs` do it, with the same generator.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/pulumi/pulumi/pkg/v3/codegen/nodejs"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
)

// noOthers loads nothing: the components' schema refers to no other package.
type noOthers struct{ schema.ReferenceLoader }

func main() {
	if err := write(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write() error {
	if len(os.Args) != 2 {
		return fmt.Errorf("usage: go run ./sdk FOLDER < schema.json")
	}
	var spec schema.PackageSpec
	if err := json.NewDecoder(os.Stdin).Decode(&spec); err != nil {
		return fmt.Errorf("standard input is no schema of a package: %w", err)
	}
	bound, problems, err := schema.BindSpec(spec, noOthers{}, schema.ValidationOptions{})
	if err != nil {
		return err
	}
	if problems.HasErrors() {
		return problems
	}
	files, err := nodejs.GeneratePackage("selfheal", bound, nil, nil, true, noOthers{})
	if err != nil {
		return err
	}
	for name, content := range files {
		path := filepath.Join(os.Args[1], name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}
