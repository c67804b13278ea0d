// Command pulumi-language-nodejs is the language host that Pulumi's CLI starts to run this project's program. It is
// built from source, for machines that can't download Pulumi's own host. The last release of that on the Go module
// proxy uses an old protocol between program and engine, without resource hooks; with this host, the program talks to
// the engine directly.
//
// It does what the CLI needs to install, preview, update, refresh, destroy and describe a stack. Code generation (SDKs,
// conversions) and plugins written in TypeScript need Pulumi's own host.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

const healthInterval = 5 * time.Second

func main() {
	if err := serve(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "pulumi-language-nodejs:", err)
		os.Exit(1)
	}
}

// serve answers the engine until the engine says goodbye or is gone.
func serve(arguments []string) error {
	if len(arguments) == 0 {
		return errors.New("the engine's address is missing")
	}
	// The flags before it are for logs and traces, which this host doesn't have.
	engine := arguments[len(arguments)-1]

	signalled, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	needed, err := whileHealthy(signalled, engine)
	if err != nil {
		return fmt.Errorf("watching the engine: %w", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := grpc.NewServer(
		// Stopping ends the program; without waiting for that, it could outlive this process.
		grpc.WaitForHandlers(true),
		grpc.UnaryInterceptor(explainUnary),
		grpc.StreamInterceptor(explainStream),
	)
	pulumirpc.RegisterLanguageRuntimeServer(server, &host{engine: engine})
	context.AfterFunc(needed, server.Stop)

	fmt.Println(listener.Addr().(*net.TCPAddr).Port) // how the engine finds this host
	return server.Serve(listener)
}

// whileHealthy returns a context that is done when the engine is gone. While a program runs, the broken connection
// shows that at once; this covers the time in between.
func whileHealthy(parent context.Context, engine string) (context.Context, error) {
	connection, err := grpc.NewClient(engine, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	health := healthpb.NewHealthClient(connection)
	ctx, gone := context.WithCancel(parent)
	go func() {
		defer gone()
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(healthInterval):
			}
			_, err := health.Check(ctx, &healthpb.HealthCheckRequest{})
			if err != nil && status.Code(err) != codes.Unimplemented {
				return
			}
		}
	}()
	return ctx, nil
}

func explainUnary(
	ctx context.Context, request any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler,
) (any, error) {
	response, err := handle(ctx, request)
	return response, explain(err)
}

func explainStream(server any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
	return explain(handle(server, stream))
}

// explain keeps the error code, from which the CLI knows that it can continue without an answer.
func explain(err error) error {
	if status.Code(err) != codes.Unimplemented {
		return err
	}
	return status.Errorf(codes.Unimplemented,
		"%s by the language host that nats-regions builds from source; install Pulumi's official release for that",
		status.Convert(err).Message())
}
