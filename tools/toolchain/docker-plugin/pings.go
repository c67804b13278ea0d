//go:build pings

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/docker/cli/cli/connhelper"
	"github.com/docker/docker/client"
	"github.com/hashicorp/terraform-plugin-sdk/v2/diag"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
)

// Tests have a build with this, because users have the official plugin (5.2.0), which asks each engine for a sign of life
// when it is configured, unless it is reached by ssh: see Configure in its provider.go, and configureDockerClient in its
// image.go. Like that one, it knows nothing of the provider's context.
func init() {
	adapt = func(provider *schema.Provider) *schema.Provider {
		configure := provider.ConfigureContextFunc
		provider.ConfigureContextFunc = func(ctx context.Context, data *schema.ResourceData) (interface{}, diag.Diagnostics) {
			if err := ping(data.Get("host").(string), data.Get("cert_path").(string)); err != nil {
				return nil, diag.FromErr(err)
			}
			return configure(ctx, data)
		}
		return provider
	}
}

func ping(host, certPath string) error {
	helper, err := connhelper.GetConnectionHelper(host)
	if err != nil || helper != nil {
		return err
	}
	options := []client.Opt{client.FromEnv, client.WithAPIVersionNegotiation()}
	if certPath != "" {
		in := func(name string) string { return filepath.Join(certPath, name) }
		options = append(options, client.WithTLSClientConfig(in("ca.pem"), in("cert.pem"), in("key.pem")))
	}
	if host != "" {
		options = append(options, client.WithHost(host))
	}
	engine, err := client.NewClientWithOpts(options...)
	if err != nil {
		return err
	}
	if _, err := engine.Ping(context.Background()); err != nil {
		return fmt.Errorf("docker native provider returned an unexpected error from Configure: failed to connect to any docker daemon")
	}
	return os.Setenv("DOCKER_HOST", engine.DaemonHost())
}
