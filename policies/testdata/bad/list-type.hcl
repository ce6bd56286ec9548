# The type of a list says how it is looked up.
hostname = "mx.test"

list "a" { # ERROR: needs type
  items = ["x"]
}
