# A port has a name or a number.
hostname = "mx.test"

listener "a" {
  address = ":smtpx" # ERROR: is no address to listen on
}
