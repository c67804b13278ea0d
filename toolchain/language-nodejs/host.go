package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
)

const (
	healthInterval = 5 * time.Second
	// The SDK's exit status of a program whose error has been shown already.
	alreadyReported = 32
)

type host struct {
	pulumirpc.UnimplementedLanguageRuntimeServer
	engine string
	// Done when the engine is gone.
	alive context.Context
}

func (*host) Handshake(
	context.Context, *pulumirpc.LanguageHandshakeRequest,
) (*pulumirpc.LanguageHandshakeResponse, error) {
	return &pulumirpc.LanguageHandshakeResponse{}, nil
}

func (*host) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: "3.259.0"}, nil
}

// GetRequiredPackages names none: resources name their plugins when they are registered.
func (*host) GetRequiredPackages(
	context.Context, *pulumirpc.GetRequiredPackagesRequest,
) (*pulumirpc.GetRequiredPackagesResponse, error) {
	return &pulumirpc.GetRequiredPackagesResponse{}, nil
}

func (*host) GetRequiredPlugins(
	context.Context, *pulumirpc.GetRequiredPluginsRequest,
) (*pulumirpc.GetRequiredPluginsResponse, error) {
	return &pulumirpc.GetRequiredPluginsResponse{}, nil
}

func (*host) RuntimeOptionsPrompts(
	context.Context, *pulumirpc.RuntimeOptionsRequest,
) (*pulumirpc.RuntimeOptionsResponse, error) {
	return &pulumirpc.RuntimeOptionsResponse{}, nil
}

func (*host) GetProgramDependencies(
	_ context.Context, request *pulumirpc.GetProgramDependenciesRequest,
) (*pulumirpc.GetProgramDependenciesResponse, error) {
	text, err := os.ReadFile(filepath.Join(request.GetInfo().GetProgramDirectory(), "package.json"))
	if err != nil {
		return nil, err
	}
	var manifest struct{ Dependencies map[string]string }
	if err := json.Unmarshal(text, &manifest); err != nil {
		return nil, fmt.Errorf("package.json: %w", err)
	}
	response := &pulumirpc.GetProgramDependenciesResponse{}
	for name, version := range manifest.Dependencies {
		response.Dependencies = append(
			response.Dependencies, &pulumirpc.DependencyInfo{Name: name, Version: version})
	}
	return response, nil
}

func (*host) About(
	context.Context, *pulumirpc.AboutRequest,
) (*pulumirpc.AboutResponse, error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, err
	}
	version, err := exec.Command(node, "--version").Output()
	return &pulumirpc.AboutResponse{
		Executable: node,
		Version:    strings.TrimSpace(string(version)),
	}, err
}

// Run runs the program and waits for its end.
func (h *host) Run(ctx context.Context, request *pulumirpc.RunRequest) (*pulumirpc.RunResponse, error) {
	command, err := h.programCommand(ctx, request)
	if err != nil {
		return &pulumirpc.RunResponse{Error: err.Error()}, nil
	}
	stop := context.AfterFunc(h.alive, func() { _ = command.Process.Kill() })
	defer stop()
	err = command.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return &pulumirpc.RunResponse{}, nil
	case errors.As(err, &exit) && exit.ExitCode() == alreadyReported:
		return &pulumirpc.RunResponse{Bail: true}, nil
	case errors.As(err, &exit):
		return &pulumirpc.RunResponse{
			Error: fmt.Sprintf("Program exited with non-zero exit code: %d", exit.ExitCode()),
		}, nil
	default:
		return nil, fmt.Errorf("running the program: %w", err)
	}
}

// programCommand is how the SDK's runner wants to be started (@pulumi/pulumi/cmd/run).
func (h *host) programCommand(
	ctx context.Context, request *pulumirpc.RunRequest,
) (*exec.Cmd, error) {
	info := request.GetInfo()
	runner, err := findRunner(info.GetProgramDirectory())
	if err != nil {
		return nil, err
	}
	config, err := json.Marshal(request.GetConfig())
	if err != nil {
		return nil, err
	}
	secretKeys, err := json.Marshal(request.GetConfigSecretKeys())
	if err != nil {
		return nil, err
	}
	options := info.GetOptions().AsMap()
	arguments := nodeArguments(options)
	arguments = append(arguments, runner,
		"--monitor="+request.GetMonitorAddress(),
		"--engine="+h.engine,
		"--project="+request.GetProject(),
		"--stack="+request.GetStack(),
		"--organization="+request.GetOrganization(),
		"--root-directory="+info.GetRootDirectory(),
		"--pwd="+request.GetPwd(),
		fmt.Sprintf("--parallel=%d", request.GetParallel()),
	)
	if request.GetDryRun() {
		arguments = append(arguments, "--dry-run")
	}
	arguments = append(arguments, info.GetEntryPoint())
	arguments = append(arguments, request.GetArgs()...)

	command := exec.CommandContext(ctx, "node", arguments...)
	command.Dir = request.GetPwd()
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	command.Env = append(os.Environ(),
		"PULUMI_CONFIG="+string(config),
		"PULUMI_CONFIG_SECRET_KEYS="+string(secretKeys),
		fmt.Sprintf("PULUMI_NODEJS_TYPESCRIPT=%t", options["typescript"] != false),
	)
	return command, nil
}

// nodeArguments are those of the runtime option `nodeargs` in Pulumi.yaml.
func nodeArguments(options map[string]any) []string {
	text, _ := options["nodeargs"].(string)
	return strings.Fields(text)
}

// findRunner finds the SDK's runner as node would resolve it from the program's folder.
func findRunner(folder string) (string, error) {
	for current := folder; ; current = filepath.Dir(current) {
		runner := filepath.Join(current, "node_modules", "@pulumi", "pulumi", "cmd", "run", "index.js")
		_, err := os.Stat(runner)
		if err == nil {
			return runner, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		if current == filepath.Dir(current) {
			return "", fmt.Errorf("@pulumi/pulumi isn't installed in %s or above it; run npm ci", folder)
		}
	}
}
