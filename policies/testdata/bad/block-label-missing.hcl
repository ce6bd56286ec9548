# A listener has a name.
hostname = "mx.test"

listener { # ERROR: The block listener has one label
  address = ":25"
}
