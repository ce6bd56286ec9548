# The built-in policy keeps its name.
hostname = "mx.test"

policy "recommended" { # ERROR: policy.recommended is built in
}
