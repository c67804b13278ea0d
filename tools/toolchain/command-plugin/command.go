package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"

	provider "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// Command runs one program when it is created, another when its inputs change, a third when it is deleted.
type Command struct{}

// Annotate names the resource's type: command:local:Command.
func (c *Command) Annotate(a infer.Annotator) {
	a.SetToken("local", "Command")
}

// CommandArgs are the inputs, as @pulumi/command declares them.
type CommandArgs struct {
	Interpreter            []string          `pulumi:"interpreter,optional"`
	Dir                    *string           `pulumi:"dir,optional"`
	Environment            map[string]string `pulumi:"environment,optional"`
	Stdin                  *string           `pulumi:"stdin,optional"`
	Logging                *string           `pulumi:"logging,optional"`
	AssetPaths             []string          `pulumi:"assetPaths,optional"`
	ArchivePaths           []string          `pulumi:"archivePaths,optional"`
	AddPreviousOutputInEnv *bool             `pulumi:"addPreviousOutputInEnv,optional"`
	Triggers               []any             `pulumi:"triggers,optional" provider:"replaceOnChanges"`
	Create                 *string           `pulumi:"create,optional"`
	Update                 *string           `pulumi:"update,optional"`
	Delete                 *string           `pulumi:"delete,optional"`
}

// CommandState is what the stack keeps: the inputs, and the output of the last run.
type CommandState struct {
	CommandArgs
	Stdout string `pulumi:"stdout"`
	Stderr string `pulumi:"stderr"`
}

// Check refuses what only the official plugin does, before anything has run.
func (Command) Check(ctx context.Context, req infer.CheckRequest) (infer.CheckResponse[CommandArgs], error) {
	args, failures, err := infer.DefaultCheck[CommandArgs](ctx, req.NewInputs)
	for name, globs := range map[string][]string{"assetPaths": args.AssetPaths, "archivePaths": args.ArchivePaths} {
		if len(globs) > 0 {
			reason := "not supported by the plugin built from this project's toolchain folder"
			failures = append(failures, provider.CheckFailure{Property: name, Reason: reason})
		}
	}
	return infer.CheckResponse[CommandArgs]{Inputs: args, Failures: failures}, err
}

// Create runs the create command.
func (Command) Create(
	ctx context.Context, req infer.CreateRequest[CommandArgs],
) (infer.CreateResponse[CommandState], error) {
	state := CommandState{CommandArgs: req.Inputs}
	id, err := resource.NewUniqueHex(req.Name, 8, 0)
	if err == nil && !req.DryRun {
		err = state.run(ctx, req.Inputs.Create)
	}
	return infer.CreateResponse[CommandState]{ID: id, Output: state}, err
}

// Update runs the update command, or the create command where there is none.
func (Command) Update(
	ctx context.Context, req infer.UpdateRequest[CommandArgs, CommandState],
) (infer.UpdateResponse[CommandState], error) {
	state := CommandState{CommandArgs: req.Inputs, Stdout: req.State.Stdout, Stderr: req.State.Stderr}
	if req.DryRun {
		return infer.UpdateResponse[CommandState]{Output: state}, nil
	}
	command := req.Inputs.Update
	if command == nil {
		command = req.Inputs.Create
	}
	err := state.run(ctx, command)
	return infer.UpdateResponse[CommandState]{Output: state}, err
}

// Delete runs the delete command.
func (Command) Delete(
	ctx context.Context, req infer.DeleteRequest[CommandState],
) (infer.DeleteResponse, error) {
	return infer.DeleteResponse{}, req.State.run(ctx, req.State.Delete)
}

func (state *CommandState) run(ctx context.Context, command *string) error {
	if command == nil {
		return nil
	}
	process := state.process(ctx, *command)
	log := newLineLog(ctx)
	defer log.flush()

	var stdout, stderr, both bytes.Buffer
	mixed := &lockedWriter{to: &both}
	process.Stdout = io.MultiWriter(&stdout, mixed, log.when(state.logs("stdout")))
	process.Stderr = io.MultiWriter(&stderr, mixed, log.when(state.logs("stderr")))
	if err := process.Run(); err != nil {
		return errors.Join(fmt.Errorf("%w: running %q:\n%s", err, *command, both.String()), ctx.Err())
	}
	state.Stdout = strings.TrimSuffix(stdout.String(), "\n")
	state.Stderr = strings.TrimSuffix(stderr.String(), "\n")
	return nil
}

func (state *CommandState) process(ctx context.Context, command string) *exec.Cmd {
	interpreter := state.Interpreter
	if len(interpreter) == 0 {
		interpreter = []string{"/bin/sh", "-c"}
	}
	args := append(slices.Clone(interpreter[1:]), command)
	process := exec.CommandContext(ctx, interpreter[0], args...)
	process.Env = os.Environ()
	for name, value := range state.Environment {
		process.Env = append(process.Env, name+"="+value)
	}
	if state.AddPreviousOutputInEnv == nil || *state.AddPreviousOutputInEnv {
		process.Env = appendNonEmpty(process.Env, "PULUMI_COMMAND_STDOUT", state.Stdout)
		process.Env = appendNonEmpty(process.Env, "PULUMI_COMMAND_STDERR", state.Stderr)
	}
	if state.Dir != nil {
		process.Dir = *state.Dir
	}
	if state.Stdin != nil {
		process.Stdin = strings.NewReader(*state.Stdin)
	}
	return process
}

func (state *CommandState) logs(stream string) bool {
	return state.Logging == nil || *state.Logging == "stdoutAndStderr" || *state.Logging == stream
}

func appendNonEmpty(env []string, name, value string) []string {
	if value == "" {
		return env
	}
	return append(env, name+"="+value)
}

// lockedWriter lets both output streams of a process write to one buffer.
type lockedWriter struct {
	sync.Mutex
	to io.Writer
}

func (w *lockedWriter) Write(p []byte) (int, error) {
	w.Lock()
	defer w.Unlock()
	return w.to.Write(p)
}

// lineLog passes whole lines to the engine's log while a process runs.
type lineLog struct {
	sync.Mutex
	logger provider.Logger
	rest   []byte
}

func newLineLog(ctx context.Context) *lineLog {
	return &lineLog{logger: provider.GetLogger(ctx)}
}

func (l *lineLog) when(wanted bool) io.Writer {
	if wanted {
		return l
	}
	return io.Discard
}

func (l *lineLog) Write(p []byte) (int, error) {
	l.Lock()
	defer l.Unlock()
	l.rest = append(l.rest, p...)
	for {
		line, rest, found := bytes.Cut(l.rest, []byte("\n"))
		if !found {
			return len(p), nil
		}
		l.logger.Info(string(line))
		l.rest = rest
	}
}

func (l *lineLog) flush() {
	l.Lock()
	defer l.Unlock()
	if len(l.rest) > 0 {
		l.logger.Info(string(l.rest))
	}
}
