# A variable that nobody declared.
hostname = "mx.test"

data_dir = var.dir # ERROR: There is no variable "dir"
