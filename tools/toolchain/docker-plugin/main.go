// Command pulumi-resource-docker bridges the Terraform provider for Docker to Pulumi under the tokens and
// property names of the npm package @pulumi/docker. It has no docker.Image, which upstream writes by hand.
package main

import (
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge/tokens"
	sdkv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
	"github.com/terraform-providers/terraform-provider-docker/upstream"
)

// version is set by the linker to the version of @pulumi/docker.
var version = "0.0.0-dev"

// adapt changes the provider in builds for tests: see pings.go.
var adapt = func(provider *schema.Provider) *schema.Provider { return provider }

func main() {
	tfbridge.Main("docker", version, provider(), []byte("{}"))
}

func provider() tfbridge.ProviderInfo {
	info := tfbridge.ProviderInfo{
		P:       sdkv2.NewProvider(adapt(upstream.Provider(version))),
		Name:    "docker",
		Version: version,
		Config: map[string]*tfbridge.SchemaInfo{
			"host": {Default: &tfbridge.DefaultInfo{
				Value:   "unix:///var/run/docker.sock",
				EnvVars: []string{"DOCKER_HOST"},
			}},
			"registry_auth": {Name: "registryAuth", MaxItemsOne: tfbridge.False()},
		},
		Resources: map[string]*tfbridge.ResourceInfo{
			"docker_config": {Tok: "docker:index/serviceConfig:ServiceConfig"},
			"docker_container": {
				// The old and the new container would need the same name and ports.
				DeleteBeforeReplace: true,
				// Lists that keep a singular name.
				Fields: map[string]*tfbridge.SchemaInfo{
					"command":           {Name: "command"},
					"networks_advanced": {Name: "networksAdvanced"},
				},
			},
			"docker_image": {
				Tok:    "docker:index/remoteImage:RemoteImage",
				Fields: map[string]*tfbridge.SchemaInfo{"name": {Name: "name"}},
			},
		},
		DataSources: map[string]*tfbridge.DataSourceInfo{
			"docker_image": {Tok: "docker:index/getRemoteImage:getRemoteImage"},
		},
	}
	info.MustComputeTokens(tokens.SingleModule("docker_", "index", tokens.MakeStandard("docker")))
	info.SetAutonaming(255, "-")
	return info
}
