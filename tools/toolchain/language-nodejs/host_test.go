package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/structpb"
)

const runner = "node_modules/@pulumi/pulumi/cmd/run/index.js"

// project makes a folder with files of the given content.
func project(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestProgramCommand(t *testing.T) {
	root := project(t, map[string]string{runner: "", "src/index.ts": ""})
	options, err := structpb.NewStruct(map[string]any{"typescript": false, "nodeargs": "--a  --b=c"})
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(root, "src")
	command, err := programCommand(context.Background(), "engine:1", &pulumirpc.RunRequest{
		MonitorAddress: "monitor:2",
		Pwd:            program,
		DryRun:         true,
		Config:         map[string]string{"p:key": "value"},
		Info: &pulumirpc.ProgramInfo{
			RootDirectory: root, ProgramDirectory: program, EntryPoint: ".", Options: options,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if start := []string{"node", "--a", "--b=c", filepath.Join(root, runner)}; !slices.Equal(command.Args[:4], start) {
		t.Errorf("starts with %q, want %q", command.Args[:4], start)
	}
	for _, argument := range []string{"--monitor=monitor:2", "--engine=engine:1", "--dry-run=true"} {
		if !slices.Contains(command.Args, argument) {
			t.Errorf("%q lacks %s", command.Args, argument)
		}
	}
	for _, variable := range []string{
		`PULUMI_CONFIG={"p:key":"value"}`, "PULUMI_CONFIG_SECRET_KEYS=[]", "PULUMI_NODEJS_TYPESCRIPT=false",
	} {
		if !slices.Contains(command.Env, variable) {
			t.Errorf("the environment lacks %s", variable)
		}
	}
}

func TestRunReportsHowTheProgramEnded(t *testing.T) {
	for script, want := range map[string]*pulumirpc.RunResponse{
		"exit 0":  {},
		"exit 32": {Bail: true},
		"exit 3":  {Error: "the program failed: exit status 3"},
	} {
		root := project(t, map[string]string{runner: "", "bin/node": "#!/bin/sh\n" + script + "\n"})
		t.Setenv("PATH", filepath.Join(root, "bin"))
		got, err := (&host{}).Run(context.Background(), &pulumirpc.RunRequest{
			Pwd: root, Info: &pulumirpc.ProgramInfo{ProgramDirectory: root},
		})
		if err != nil || got.Bail != want.Bail || got.Error != want.Error {
			t.Errorf("%s: %v, %v; want %v", script, got, err, want)
		}
	}
}

func TestPackages(t *testing.T) {
	root := project(t, map[string]string{
		"package.json": `{"dependencies":{"@pulumi/docker":"5.x","gone":"1.x","other":"2.x"}}`,
		"node_modules/@pulumi/docker/package.json": `{"version":"5.2.0","pulumi":{"resource":true}}`,
		"node_modules/other/package.json":          `{"version":"2.1.0"}`,
		"src/index.ts":                             "",
	})
	program := filepath.Join(root, "src")

	packages, err := requiredPackages(program)
	if err != nil || len(packages) != 1 || packages[0].Name != "docker" || packages[0].Version != "5.2.0" {
		t.Errorf("required: %v, %v", packages, err)
	}
	var versions []string
	dependencies, err := programDependencies(program)
	for _, dependency := range dependencies {
		versions = append(versions, dependency.Name+" "+dependency.Version)
	}
	if want := []string{"@pulumi/docker 5.2.0", "gone 1.x", "other 2.1.0"}; err != nil || !slices.Equal(versions, want) {
		t.Errorf("dependencies: %q, %v; want %q", versions, err, want)
	}
}
