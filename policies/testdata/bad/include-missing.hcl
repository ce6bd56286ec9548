# A file that is named without a pattern must be there.
hostname = "mx.test"

include = ["policy.d/gone.hcl"] # ERROR: FP0002
