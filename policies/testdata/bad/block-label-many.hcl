# One name is enough.
hostname = "mx.test"

list "a" "b" { # ERROR: The block list has one label
  type = word
}
