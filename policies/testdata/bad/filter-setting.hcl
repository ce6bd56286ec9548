# A filter knows its settings.
hostname = "mx.test"

filter "dnsbl" "z" {
  zone = ["a", "b"] # ERROR: zone
}
