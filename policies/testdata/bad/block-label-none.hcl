# Server settings stand once, without a name.
hostname = "mx.test"

dns "x" { # ERROR: The block dns has no label
}
