# include is a list, even of one file.
hostname = "mx.test"

include = "policy.d/*.hcl" # ERROR: include is a list of file names
