# Times are texts.
hostname = "mx.test"

filter "spf" {
  timeout = 5 # ERROR: timeout is a string
}
