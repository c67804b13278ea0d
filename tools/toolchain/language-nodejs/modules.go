package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// manifest has the fields of a package.json that are used here.
type manifest struct {
	Name, Version                 string
	Dependencies, DevDependencies map[string]string
	Pulumi                        struct {
		// Whether the package has a plugin.
		Resource              bool
		Name, Version, Server string
		Parameterization      *pulumirpc.PackageParameterization
	}
}

func readManifest(file string) (manifest, error) {
	var content manifest
	text, err := os.ReadFile(file)
	if err != nil {
		return content, err
	}
	if err := json.Unmarshal(text, &content); err != nil {
		return content, fmt.Errorf("%s: %w", file, err)
	}
	return content, nil
}

// programManifest reads the package.json of a program; a program may have none.
func programManifest(program string) (manifest, error) {
	file, found := findUpward(program, "package.json")
	if !found {
		return manifest{}, nil
	}
	return readManifest(file)
}

// requiredPackages are the program's direct dependencies with plugins. Plugins of indirect ones are loaded when a
// resource needs them.
func requiredPackages(program string) ([]*pulumirpc.PackageDependency, error) {
	own, err := programManifest(program)
	if err != nil {
		return nil, err
	}
	var packages []*pulumirpc.PackageDependency
	for _, name := range slices.Sorted(maps.Keys(own.Dependencies)) {
		file, found := findInstalled(program, filepath.Join(name, "package.json"))
		if !found {
			continue
		}
		installed, err := readManifest(file)
		if err != nil {
			return nil, err
		}
		plugin := installed.Pulumi
		if !plugin.Resource {
			continue
		}
		packages = append(packages, &pulumirpc.PackageDependency{
			Kind:             "resource",
			Name:             either(plugin.Name, strings.TrimPrefix(name, "@pulumi/")),
			Version:          either(plugin.Version, installed.Version),
			Server:           plugin.Server,
			Parameterization: plugin.Parameterization,
		})
	}
	return packages, nil
}

// programDependencies are the direct dependencies, with the installed version or else the requested one.
func programDependencies(program string) ([]*pulumirpc.DependencyInfo, error) {
	own, err := programManifest(program)
	if err != nil {
		return nil, err
	}
	wanted := map[string]string{}
	maps.Copy(wanted, own.DevDependencies)
	maps.Copy(wanted, own.Dependencies)
	var dependencies []*pulumirpc.DependencyInfo
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		version := wanted[name]
		if file, found := findInstalled(program, filepath.Join(name, "package.json")); found {
			installed, err := readManifest(file)
			if err != nil {
				return nil, err
			}
			version = either(installed.Version, version)
		}
		dependencies = append(dependencies, &pulumirpc.DependencyInfo{Name: name, Version: version})
	}
	return dependencies, nil
}

// findInstalled finds a file of a package where node would find it: running node takes ten times as long.
func findInstalled(program, file string) (string, bool) {
	return findUpward(program, filepath.Join("node_modules", file))
}

// findUpward finds a file in a folder or in the nearest one above that has it.
func findUpward(folder, file string) (string, bool) {
	for {
		candidate := filepath.Join(folder, file)
		if _, err := os.Stat(candidate); err == nil {
			return candidate, true
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			return "", false
		}
		folder = parent
	}
}

func either(first, second string) string {
	if first != "" {
		return first
	}
	return second
}
