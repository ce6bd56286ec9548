# A quarantine that nothing fills.
hostname = "mx.test"

quarantine "a" { # WARNING: Nothing refers to quarantine.a
}
