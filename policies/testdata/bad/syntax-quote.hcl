# A text that does not end on its line.
hostname = "mx.test"

postmaster = "postmaster@mx.test # ERROR: FP0001
