# A list has entries from somewhere.
hostname = "mx.test"

list "a" { # ERROR: has neither items nor file
  type = word
}
