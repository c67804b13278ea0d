package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// How long a program may take to end after SIGTERM; the engine kills it after 5 seconds.
const gracePeriod = 3 * time.Second

// programCommand starts a program in the form that the SDK's runner expects, @pulumi/pulumi/cmd/run.
func programCommand(ctx context.Context, engine string, request *pulumirpc.RunRequest) (*exec.Cmd, error) {
	info := request.GetInfo()
	runner, found := findInstalled(
		info.GetProgramDirectory(), filepath.Join("@pulumi", "pulumi", "cmd", "run", "index.js"))
	if !found {
		return nil, fmt.Errorf("@pulumi/pulumi is not installed in %s or above it; run `pulumi install`",
			info.GetProgramDirectory())
	}
	options := info.GetOptions().AsMap()

	arguments := append(nodeArguments(options), runner,
		"--monitor="+request.GetMonitorAddress(),
		"--engine="+engine,
		"--organization="+request.GetOrganization(),
		"--project="+request.GetProject(),
		"--stack="+request.GetStack(),
		"--root-directory="+info.GetRootDirectory(),
		"--pwd="+request.GetPwd(),
		fmt.Sprintf("--parallel=%d", request.GetParallel()),
		fmt.Sprintf("--dry-run=%t", request.GetDryRun()),
		info.GetEntryPoint(),
	)
	arguments = append(arguments, request.GetArgs()...)

	environment, err := programEnvironment(request, options)
	if err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, "node", arguments...)
	command.Dir = request.GetPwd()
	command.Env = append(os.Environ(), environment...)
	// The engine shows what this process prints, once it has read the port.
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = gracePeriod
	return command, nil
}

// programEnvironment returns the variables from which the SDK reads the configuration and the TypeScript options.
func programEnvironment(request *pulumirpc.RunRequest, options map[string]any) ([]string, error) {
	// Without configuration these are nil, and the SDK fails on `null`.
	config, secretKeys := map[string]string{}, []string{}
	if request.GetConfig() != nil {
		config = request.GetConfig()
	}
	if request.GetConfigSecretKeys() != nil {
		secretKeys = request.GetConfigSecretKeys()
	}
	configJSON, err := json.Marshal(config)
	if err != nil {
		return nil, err
	}
	secretKeysJSON, err := json.Marshal(secretKeys)
	if err != nil {
		return nil, err
	}
	environment := []string{
		"PULUMI_CONFIG=" + string(configJSON),
		"PULUMI_CONFIG_SECRET_KEYS=" + string(secretKeysJSON),
		fmt.Sprintf("PULUMI_NODEJS_TYPESCRIPT=%t", options["typescript"] != false),
	}
	if tsconfig, ok := options["tsconfig"].(string); ok {
		environment = append(environment, "PULUMI_NODEJS_TSCONFIG_PATH="+tsconfig)
	}
	return environment, nil
}

func nodeArguments(options map[string]any) []string {
	arguments, _ := options["nodeargs"].(string)
	return strings.Fields(arguments)
}
