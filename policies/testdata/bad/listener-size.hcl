# Sizes have units.
hostname = "mx.test"

listener "a" {
  address  = ":25"
  max_size = "50 megs" # ERROR: is a number of octets
}
