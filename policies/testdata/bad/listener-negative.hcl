# Counts begin at 0.
hostname = "mx.test"

listener "a" {
  address        = ":25"
  max_recipients = 1.5 # ERROR: is a whole number of at least 0
}
