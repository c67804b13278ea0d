// Command pulumi-language-nodejs is a language host for Node.js programs, for machines that can't download
// Pulumi's own: the newest release of that on the Go module proxy puts a proxy of years ago between the
// program and the engine, which doesn't know resource hooks.
//
// It does what the CLI needs to preview, update, refresh and destroy; plugins, code generation and
// templates are left to Pulumi's own host.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
)

func main() {
	flag.String("tracing", "", "ignored")
	flag.String("root", "", "ignored: the engine says it with each request")
	flag.Parse()
	if flag.NArg() == 0 {
		fail("the engine's address is missing")
	}
	if err := serve(flag.Arg(0)); err != nil {
		fail(err.Error())
	}
}

// serve answers the engine until it goes away.
func serve(engine string) error {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	cancel := make(chan bool)
	go func() {
		<-ctx.Done()
		close(cancel)
	}()
	if err := rpcutil.Healthcheck(ctx, engine, healthInterval, stop); err != nil {
		return fmt.Errorf("watching the engine: %w", err)
	}
	handle, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Cancel: cancel,
		Init: func(server *grpc.Server) error {
			pulumirpc.RegisterLanguageRuntimeServer(server, &host{engine: engine, alive: ctx})
			return nil
		},
		Options: rpcutil.OpenTracingServerInterceptorOptions(nil),
	})
	if err != nil {
		return err
	}
	fmt.Println(handle.Port) // how the engine finds this host
	return <-handle.Done
}

func fail(message string) {
	fmt.Fprintln(os.Stderr, "pulumi-language-nodejs: "+message)
	os.Exit(1)
}
