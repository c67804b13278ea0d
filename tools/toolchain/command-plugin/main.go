// Command pulumi-resource-command provides the resource local.Command of the npm package @pulumi/command.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/pulumi/pulumi-go-provider/infer"
)

// version is set by the linker to the version of @pulumi/command.
var version = "0.0.0-dev"

func main() {
	provider, err := infer.NewProviderBuilder().
		WithResources(infer.Resource(Command{})).
		Build()
	if err == nil {
		err = provider.Run(context.Background(), "command", version)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
