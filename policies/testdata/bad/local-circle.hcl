# Locals that are defined by each other.
hostname = "mx.test"

locals {
  a = local.b # ERROR: is defined by itself
  b = local.a # ERROR: is defined by itself
}
