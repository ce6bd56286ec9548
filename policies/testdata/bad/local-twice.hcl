# A name is defined once.
hostname = "mx.test"

locals {
  a = 1
}

locals {
  a = 2 # ERROR: local.a is defined already
}
