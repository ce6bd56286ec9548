# When recipients are told.
hostname = "mx.test"

quarantine "a" {
  release = recipient
  digest  = "7:30" # ERROR: is no time of day
}

quarantine "b" {
  digest = "07:30" # ERROR: nobody but an administrator may release
}
