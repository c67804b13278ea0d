# The same work for OpenTofu: the nine nodes of the example, their image, their routes, and both streams.

terraform {
  required_providers {
    docker    = { source = "kreuzwerker/docker", version = "~> 4.5" }
    jetstream = { source = "nats-io/jetstream", version = "~> 0.4" }
  }
}

variable "name" {
  description = "prefix of everything on the engine"
}

variable "image" {
  description = "image of nats-server"
}

variable "client_port" {
  description = "first of nine ports on this host"
}

variable "monitor_port" {
  description = "first of nine ports on this host"
}

variable "orders_tag" {
  description = "where the stream ORDERS is"
}

locals {
  tags = {
    rg1-az1 = ["rg:1", "az:1", "xr:123", "xr:132"]
    rg1-az2 = ["rg:1", "az:2", "xr:213", "xr:231"]
    rg1-az3 = ["rg:1", "az:3", "xr:312", "xr:321"]
    rg2-az1 = ["rg:2", "az:1", "xr:213", "xr:312"]
    rg2-az2 = ["rg:2", "az:2", "xr:123", "xr:321"]
    rg2-az3 = ["rg:2", "az:3", "xr:132", "xr:231"]
    rg3-az1 = ["rg:3", "az:1", "xr:231", "xr:321"]
    rg3-az2 = ["rg:3", "az:2", "xr:132", "xr:312"]
    rg3-az3 = ["rg:3", "az:3", "xr:123", "xr:213"]
  }
  names = keys(local.tags)
  nodes = { for index, name in local.names : name => {
    client_port  = var.client_port + index
    monitor_port = var.monitor_port + index
  } }
}

provider "docker" {}

provider "jetstream" {
  servers  = "nats://127.0.0.1:${var.client_port}"
  user     = "user"
  password = "user"
}

resource "docker_image" "nats" {
  name         = var.image
  keep_locally = true
}

resource "docker_network" "cluster" {
  name = var.name
}

resource "docker_volume" "data" {
  for_each = local.nodes
  name     = "${var.name}-${each.key}"
}

resource "docker_container" "node" {
  for_each = local.nodes
  name     = "${var.name}-${each.key}"
  image    = docker_image.nats.image_id
  command  = ["--config", "/nats.conf"]

  upload {
    file = "/nats.conf"
    content = templatefile("${path.module}/nats.conf.tftpl", {
      name   = each.key
      tags   = local.tags[each.key]
      routes = [for name in local.names : "nats-route://${name}:6222"]
    })
  }

  networks_advanced {
    name    = docker_network.cluster.name
    aliases = [each.key]
  }

  ports {
    internal = 4222
    external = each.value.client_port
    ip       = "127.0.0.1"
  }

  ports {
    internal = 8222
    external = each.value.monitor_port
    ip       = "127.0.0.1"
  }

  volumes {
    volume_name    = docker_volume.data[each.key].name
    container_path = "/data"
  }

  # The provider kills a container that it removes, unless it has time to stop.
  destroy_grace_seconds = 10
}

# Neither provider waits for the servers, and a stream that is created too early fails.
resource "terraform_data" "healthy" {
  triggers_replace = [for name in local.names : docker_container.node[name].id]

  provisioner "local-exec" {
    command = join("\n", [for node in local.nodes :
      "until curl -sf -o /dev/null http://127.0.0.1:${node.monitor_port}/healthz; do sleep 0.1; done"
    ])
  }
}

# The provider ignores tags without a cluster.
resource "jetstream_stream" "stream" {
  for_each          = { EVENTS = "xr:123", ORDERS = var.orders_tag }
  name              = each.key
  subjects          = ["${lower(each.key)}.*"]
  placement_cluster = "c1"
  placement_tags    = [each.value]
  replicas          = 3
  storage           = "file"
  retention         = "limits"
  duplicate_window  = 120
  allow_rollup_hdrs = true
  allow_direct      = true
  depends_on        = [terraform_data.healthy]
}
