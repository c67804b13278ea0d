// Package upstream hands out the Terraform provider for Docker, which upstream keeps in an internal
// package. Only a module whose path lies below upstream's own may import it, hence this module's path.
package upstream

import (
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	"github.com/terraform-providers/terraform-provider-docker/internal/provider"
)

// Provider returns a new instance of the Terraform provider for Docker.
func Provider(version string) *schema.Provider {
	return provider.New(version)()
}
