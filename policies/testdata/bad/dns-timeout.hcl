# Times have units.
hostname = "mx.test"

dns {
  timeout = "5" # ERROR: is no duration
}
