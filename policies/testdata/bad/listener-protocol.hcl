# Protocols are bare words.
hostname = "mx.test"

listener "a" {
  address  = ":25"
  protocol = "smtp" # ERROR: Write it without quotes
}
