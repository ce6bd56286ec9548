# What nothing uses is checked, too.
hostname = "mx.test"

locals {
  a = spf.result == "pas" # ERROR: Did you mean "pass"?
}
