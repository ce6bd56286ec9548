# A block takes no equal sign.
hostname = "mx.test"

log = { # ERROR: has no attribute "log"
  level = info
}
