# A filter says what it needs.
hostname = "mx.test"

filter "dnsbl" "z" { # ERROR: needs zone
}
